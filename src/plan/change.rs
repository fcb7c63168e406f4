//! The vocabulary of a plan.

use std::collections::BTreeMap;

use crate::topology::TopicName;
use crate::topology::observed::Source;

/// What would be done to a cluster, in the file's order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) cluster_id: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) unmanaged: Unmanaged,
    /// Topics of the file that are as they should be.
    pub(crate) unchanged: usize,
}

/// One change of one topic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) topic: TopicName,
    pub(crate) action: Action,
    pub(crate) risk: Risk,
    /// Why the risk is what it is; empty when it is safe.
    pub(crate) reasons: Vec<String>,
    /// Why it must not, or cannot, be done.
    pub(crate) blocked: Option<Blocked>,
    pub(crate) verification: Verification,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Create {
        partitions: i32,
        /// `None`: the cluster's default.
        replication: Option<i16>,
        configs: BTreeMap<String, String>,
        dead_letters_of: Option<TopicName>,
    },
    AddPartitions {
        from: i32,
        to: i32,
    },
    /// Impossible in Kafka; always blocked.
    RemovePartitions {
        from: i32,
        to: i32,
    },
    /// Smallest and largest replica count found among the partitions.
    ChangeReplication {
        from: (usize, usize),
        to: i16,
    },
    SetConfig {
        key: String,
        /// The effective value so far, `None` when the cluster reports no such key.
        from: Option<String>,
        /// Where that value comes from.
        source: Source,
        to: String,
    },
    /// Back to what the cluster would give it.
    ResetConfig {
        key: String,
        from: Option<String>,
        /// The inherited value, as far as it is known.
        to: Option<String>,
    },
    /// The value holds already, but only by default: from now on it is the topic's own.
    PinConfig {
        key: String,
        value: String,
        source: Source,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Risk {
    Safe,
    Caution,
    Destructive,
}

impl Risk {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Caution => "caution",
            Self::Destructive => "destructive",
        }
    }
}

/// Why a change is not executed, and how to get there all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) reason: String,
    pub(crate) recipe: String,
}

/// What the broker said when it was asked whether the change could be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// Not asked: planned against a snapshot, or blocked anyway.
    NotAsked,
    Accepted,
    /// The broker's words.
    Refused(String),
    /// The login may not ask; the right that it lacks.
    Unverified(String),
}

/// What the cluster has and the file does not mention: reported, never touched.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Unmanaged {
    pub(crate) topics: Vec<TopicName>,
    pub(crate) settings: Vec<UnmanagedSetting>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnmanagedSetting {
    pub(crate) topic: TopicName,
    pub(crate) key: String,
    pub(crate) value: Option<String>,
}

impl Change {
    pub(crate) fn new(topic: &TopicName, action: Action) -> Self {
        Self {
            topic: topic.clone(),
            action,
            risk: Risk::Safe,
            reasons: Vec::new(),
            blocked: None,
            verification: Verification::NotAsked,
        }
    }

    pub(crate) fn blocked(mut self, reason: impl Into<String>, recipe: impl Into<String>) -> Self {
        self.blocked = Some(Blocked { reason: reason.into(), recipe: recipe.into() });
        self
    }
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(crate) fn blocked(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.blocked.is_some())
    }

    pub(crate) fn refused(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.verification, Verification::Refused(_)))
    }

    pub(crate) fn unverified(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.verification, Verification::Unverified(_)))
    }
}
