//! Commands into the stock, and answers into the outbox, in the transaction of the runtime.

use std::time::Duration;

use super::command::{Command, NoCommand};
use super::decide::{Answer, Desk, decide};
use super::ids::Ids;
use super::shelf::Shelf;
use super::store;
use crate::event::{Event, EventType, OrderPlaced, Text, Timestamp};
use crate::messaging::Record;
use crate::runtime::{BatchOutcome, HandleError, Handler};
use crate::services::announce::Announcer;
use crate::store::Tx;
use crate::store::outbox;
use crate::unit::UnixMillis;

/// What the inventory needs to know of the system around it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The topic of answers (`inventory-service.inventory-result`).
    pub(crate) results: String,
    /// The topic of words to operations (`notification-service.send-notification`).
    pub(crate) notifications: String,
    /// Who is told of a product that is short: an operators' list.
    pub(crate) operators: Text<320>,
    pub(crate) announcer: Announcer,
    /// How much later it answers: for trying out what a slow inventory does to others.
    pub(crate) delay: Duration,
    pub(crate) now: fn() -> UnixMillis,
}

/// The handler. Takes `OrderPlaced`, `CancelReservation` and `RestoreReservation`, from whichever topics.
pub(crate) struct Inventory {
    settings: Settings,
    ids: Box<dyn Ids>,
    shelf: Shelf,
}

impl Inventory {
    /// The events that it handles.
    pub(crate) const HANDLES: [EventType; 3] =
        [EventType::OrderPlaced, EventType::CancelReservation, EventType::RestoreReservation];

    pub(crate) fn new(settings: Settings, ids: impl Ids) -> Self {
        Self { settings, ids: Box::new(ids), shelf: Shelf::default() }
    }
}

impl Handler for Inventory {
    const OPTIMISTIC: bool = true;

    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        let mut commands = Vec::with_capacity(batch.len());
        let mut sources = Vec::with_capacity(batch.len());
        let mut poisoned = Vec::new();
        for (at, record) in batch.iter().enumerate() {
            match command(record) {
                Ok(command) => {
                    commands.push(command);
                    sources.push(record);
                }
                Err(error) => poisoned.push((at, error)),
            }
        }
        match self.carry_out(tx, &commands, &sources).await {
            Err(error) => BatchOutcome::Failed(error),
            Ok(()) if poisoned.is_empty() => BatchOutcome::Done,
            Ok(()) => BatchOutcome::Poisoned(poisoned),
        }
    }
}

impl Inventory {
    /// Each command with the record that it came in.
    async fn carry_out(
        &self,
        tx: &mut Tx,
        commands: &[Command],
        sources: &[&Record],
    ) -> Result<(), HandleError> {
        if commands.is_empty() {
            return Ok(());
        }
        self.carried(tx, commands, |answers| {
            let row = |answer: Answer| self.row(&answer, sources[answer.to].traceparent());
            Ok((answers.into_iter().map(row).collect::<Result<_, _>>()?, ()))
        })
        .await
    }

    /// Reserves what an order asks for, and answers; only what concerns others is announced.
    pub(super) async fn reserve(
        &self,
        tx: &mut Tx,
        order: OrderPlaced,
        traceparent: Option<String>,
    ) -> Result<Event, HandleError> {
        let command = Command::try_from(Event::OrderPlaced(order))
            .map_err(|error: NoCommand| HandleError::poison(error))?;
        self.carried(tx, std::slice::from_ref(&command), |answers| {
            let (mut rows, mut own) = (Vec::new(), None);
            for answer in answers {
                let row = self.row(&answer, traceparent.clone())?;
                match answer.event {
                    Event::SendNotification(_) => rows.push(row),
                    event => own = Some(event),
                }
            }
            Ok((rows, own.ok_or_else(|| HandleError::poison("an order without an answer"))?))
        })
        .await
    }

    /// Carries commands out. `announced`: which rows its answers become, and what else is to be known of them; where it
    /// refuses, nothing was written.
    async fn carried<T>(
        &self,
        tx: &mut Tx,
        commands: &[Command],
        announced: impl FnOnce(Vec<Answer>) -> Result<(Vec<outbox::Event>, T), HandleError>,
    ) -> Result<T, HandleError> {
        // Before anything is held.
        tokio::time::sleep(self.settings.delay).await;
        let now = (self.settings.now)();
        let timestamp = Timestamp::from_unix_millis(now.0).map_err(HandleError::transient)?;
        let desk = Desk { ids: &*self.ids, now: &timestamp, operators: &self.settings.operators };
        let shelved = if tx.is_optimistic() { self.shelf.look(commands) } else { None };
        let before = match shelved {
            Some(book) => book,
            None => store::load(tx, commands).await?,
        };
        let (after, answers) = decide(before.clone(), commands, &desk);
        let (rows, known) = announced(answers)?;
        store::save(tx, &before, &after, &rows, now).await?;
        let left = self.shelf.clone();
        tx.afterwards(move || left.committed(after.products));
        Ok(known)
    }

    /// An answer as a row of the outbox. One that does not keep its schema is refused, and its command with it.
    fn row(&self, answer: &Answer, traceparent: Option<String>) -> Result<outbox::Event, HandleError> {
        let topic = match &answer.event {
            Event::SendNotification(_) => &self.settings.notifications,
            _ => &self.settings.results,
        };
        let row = self.settings.announcer.row(&answer.event, topic, traceparent);
        row.map_err(HandleError::poison)
    }
}

/// What a record asks for.
fn command(record: &Record) -> Result<Command, HandleError> {
    let event = Event::from_json(record.value().unwrap_or_default()).map_err(HandleError::poison)?;
    event.try_into().map_err(|error: NoCommand| HandleError::poison(error))
}
