//! One partition that is read: where reading is, and of whom it is asked.

use std::time::Duration;

use tokio::time::Instant;

use super::stream::Feed;
use crate::messaging::doubled;

/// How long a partition rests after a failure: at first, and at most.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long it rests when what was read cannot be used.
const DAMAGED: Duration = Duration::from_secs(5);
/// How long a replica that is nearer is read from before the leader is asked again which one is: Java's
/// `metadata.max.age.ms`.
const NEARER: Duration = Duration::from_secs(300);

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    At(i64),
    /// Behind a record that was read already, and written by the leader of that epoch: whether the log still has it is to be asked.
    Behind {
        next: i64,
        epoch: i32,
    },
    /// With the first record that there is.
    Earliest,
}

/// Where reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    At(i64),
    /// To be asked for: the first record that there is, since the offset is not there (any more) where reading should be.
    Earliest {
        instead_of: Option<i64>,
    },
}

#[derive(Debug)]
pub(super) struct Track {
    pub(super) feed: Feed,
    pub(super) position: Position,
    /// The broker and its epoch.
    pub(super) leader: Option<(i32, i32)>,
    /// A replica that the leader named, and until when it is believed.
    nearer: Option<(i32, Instant)>,
    /// The request that has it.
    pub(super) asked_by: Option<u64>,
    /// The epoch of the leader who wrote what was read last.
    pub(super) read_epoch: Option<i32>,
    /// Whether it is to be asked if what was read is still there: another leader may never have had it.
    pub(super) in_doubt: bool,
    rests_until: Option<Instant>,
    failures: u32,
    /// The number of the answer that had something of it last.
    pub(super) served: u64,
}

impl Track {
    pub(super) fn new(feed: Feed, start: Start) -> Self {
        let (position, read_epoch) = match start {
            Start::At(offset) => (Position::At(offset), None),
            Start::Behind { next, epoch } => (Position::At(next), Some(epoch)),
            Start::Earliest => (Position::Earliest { instead_of: None }, None),
        };
        Self {
            feed,
            position,
            leader: None,
            nearer: None,
            asked_by: None,
            read_epoch,
            in_doubt: read_epoch.is_some(),
            rests_until: None,
            failures: 0,
            served: 0,
        }
    }

    /// The broker that is asked next, where something may be asked now.
    pub(super) fn wants(&mut self, now: Instant) -> Option<i32> {
        self.look_for_damage(now);
        self.rests_until = self.rests_until.filter(|until| *until > now);
        self.nearer = self.nearer.filter(|(_, until)| *until > now);
        if self.asked_by.is_some() || self.rests_until.is_some() || self.feed.queue.is_full() {
            return None;
        }
        let (leader, _) = self.leader?;
        match self.position {
            Position::At(_) => Some(self.nearer.map_or(leader, |(replica, _)| replica)),
            Position::Earliest { .. } => Some(leader),
        }
    }

    /// What was read and cannot be used is read again, from the leader.
    fn look_for_damage(&mut self, now: Instant) {
        if let Some(offset) = self.feed.queue.damage() {
            self.position = Position::At(offset);
            self.damaged(now);
        }
    }

    /// What a broker sent cannot be used.
    pub(super) fn damaged(&mut self, now: Instant) {
        self.asked_by = None;
        self.nearer = None;
        self.rests_until = Some(now + DAMAGED);
    }

    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.rests_until
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.asked_by = None;
        self.rests_until = Some(now + doubled(REST, self.failures));
        self.failures += 1;
    }

    pub(super) fn went_well(&mut self) {
        self.failures = 0;
    }

    pub(super) fn is_near(&self, broker: i32) -> bool {
        self.nearer.is_some_and(|(replica, _)| replica == broker)
    }

    /// Reads from that replica, or from the leader again.
    pub(super) fn read_from(&mut self, replica: Option<i32>, now: Instant) {
        self.nearer = replica.map(|replica| (replica, now + NEARER));
    }

    /// Another broker leads, or the same one anew; there is no reason to wait for it. What is older than what is known is
    /// not believed.
    pub(super) fn led_by(&mut self, leader: Option<(i32, i32)>) {
        if let (Some((_, known)), Some((_, told))) = (self.leader, leader)
            && told >= 0
            && told < known
        {
            return;
        }
        if self.leader != leader {
            let epoch = leader.map(|(_, epoch)| epoch);
            self.in_doubt |= self.read_epoch.is_some_and(|read| epoch.is_some_and(|epoch| epoch > read));
            self.leader = leader;
            self.rests_until = None;
            self.nearer = None;
        }
    }
}
