//! What a batch of commands does to the stock, and what is answered. Pure: nothing is read and nothing is written.

use crate::event::{
    CancelReservation, Channel, Event, Extent, Fields, InventoryFailed, InventoryReserved, Items, OrderId,
    OrderPlaced, ProductId, Quantity, ReservationCancelled, ReservationId, ReservationRestored,
    RestoreReservation, SendNotification, Text, Timestamp,
};

use super::command::Command;
use super::ids::Ids;
use super::lines::{self, Wanted};
use super::model::{Book, Done, Line, Order, Outcome, ReservedItem};

/// An event that follows from a command, by the command's place in the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) to: usize,
    pub(crate) event: Event,
}

/// What all answers of a batch have in common.
pub(crate) struct Desk<'d> {
    pub(crate) ids: &'d dyn Ids,
    pub(crate) now: &'d Timestamp,
    /// Who is told of a product that is short: an operators' list.
    pub(crate) operators: &'d Text<320>,
}

/// Carries out commands in their order; `book` is what is known of their orders and of all products that
/// they name; where some do not place orders, also of what their orders have reserved.
///
/// An order reserves all of its items or none. A product runs short when a reservation takes the last piece, or when
/// there is not enough of it for an order: then operations are told, once until it is restocked.
pub(crate) fn decide(mut book: Book, commands: &[Command], desk: &Desk<'_>) -> (Book, Vec<Answer>) {
    let mut answers = Vec::with_capacity(commands.len());
    for (to, command) in commands.iter().enumerate() {
        let id = command.order_id();
        // Taken out, so that the stock can be changed beside it.
        let mut order = book.orders.remove(id).unwrap_or_default();
        let mut step = Step { book: &mut book, desk, to, order_id: id, answers: &mut answers };
        match command {
            Command::Place(placed) => step.place(&mut order, placed),
            Command::Cancel(command) => step.cancel(&mut order, command),
            Command::Restore(command) => step.restore(&mut order, command),
        }
        book.orders.insert(id.clone(), order);
    }
    (book, answers)
}

/// One command's work.
struct Step<'s, 'd> {
    book: &'s mut Book,
    desk: &'s Desk<'d>,
    to: usize,
    order_id: &'s OrderId,
    answers: &'s mut Vec<Answer>,
}

impl Step<'_, '_> {
    /// An order that is known is answered as it was the first time, whatever it asks for now: its items as they were
    /// reserved then, even when they were given back since.
    fn place(&mut self, order: &mut Order, placed: &OrderPlaced) {
        let mut short = Vec::new();
        if order.outcome.is_none() {
            let outcome = if order.is_given_up() {
                Outcome::Failed { reason: lines::reason("Cancelled before stock was reserved") }
            } else {
                let items = placed.items.iter().map(|item| (&item.product_id, item.quantity));
                self.reserve(&lines::wanted(items), &mut short)
            };
            order.outcome = Some(outcome);
        }
        match &order.outcome {
            Some(Outcome::Reserved { id, items }) => self.announce_reserved(id.clone(), items),
            Some(Outcome::Failed { reason }) => self.announce_failed(reason.clone()),
            None => {}
        }
        self.tell(&short);
    }

    /// Takes all of it or nothing. `short`: the products that ran short by it.
    fn reserve(&mut self, wanted: &[Wanted], short: &mut Vec<ProductId>) -> Outcome {
        let unknown = wanted.iter().map(|(product, _)| product);
        let unknown: Vec<&ProductId> =
            unknown.filter(|product| !self.book.products.contains_key(*product)).collect();
        if !unknown.is_empty() {
            let what = if unknown.len() == 1 { "product" } else { "products" };
            return Outcome::Failed {
                reason: lines::reason(&format!("Unknown {what} {}", lines::named(&unknown))),
            };
        }
        let lines: Vec<Line> = match self.take(wanted) {
            Ok(lines) => lines,
            Err(lacking) => {
                let names: Vec<&ProductId> = lacking.iter().collect();
                let reason = lines::reason(&format!("Insufficient stock for {}", lines::named(&names)));
                *short = lacking;
                return Outcome::Failed { reason };
            }
        };
        short.extend(lines.iter().map(|(product, _)| product.clone()).filter(|product| self.is_out(product)));
        let held = |(product, ordered): Line| ReservedItem { product, ordered, held: ordered.get() };
        Outcome::Reserved { id: self.desk.ids.reservation_id(), items: lines.into_iter().map(held).collect() }
    }

    /// Reserves pieces of all these products, or of none; the error is those of which there are not enough.
    fn take(&mut self, wanted: &[Wanted]) -> Result<Vec<Line>, Vec<ProductId>> {
        let mut lines = Vec::with_capacity(wanted.len());
        let mut lacking = Vec::new();
        for (product, pieces) in wanted {
            let there = self.book.products.get(product).is_some_and(|level| level.available >= *pieces);
            // More than an event can say is more than is ever there.
            let quantity = u32::try_from(*pieces).ok().and_then(|pieces| Quantity::new(pieces).ok());
            match quantity {
                Some(quantity) if there => lines.push((product.clone(), quantity)),
                _ => lacking.push(product.clone()),
            }
        }
        if !lacking.is_empty() {
            return Err(lacking);
        }
        for (product, quantity) in &lines {
            if let Some(level) = self.book.products.get_mut(product) {
                level.take(quantity.get());
            }
        }
        Ok(lines)
    }

    fn is_out(&self, product: &ProductId) -> bool {
        self.book.products.get(product).is_some_and(|level| level.available == 0)
    }

    /// Gives back what the command names and is still held, and no more. Nothing is given back by a command that
    /// comes after its own undoing; before its order it is remembered, and the order is refused.
    fn cancel(&mut self, order: &mut Order, command: &CancelReservation) {
        let saga = order.sagas.get(&command.saga_id).cloned().unwrap_or_default();
        let done = saga.cancelled.unwrap_or_else(|| {
            let reservation = order.reservation().cloned();
            let items = match &mut order.outcome {
                Some(Outcome::Reserved { items, .. }) if saga.restored.is_none() => {
                    self.give_back(items, &command.items)
                }
                _ => Vec::new(),
            };
            Done { reservation, items }
        });
        order.sagas.entry(command.saga_id.clone()).or_default().cancelled = Some(done.clone());
        self.answer(ReservationCancelled {
            event_id: self.desk.ids.event_id(),
            order_id: self.order_id.clone(),
            timestamp: self.desk.now.clone(),
            saga_id: command.saga_id.clone(),
            reservation_id: done.reservation,
            items: lines::items(&done.items),
            extra: Fields::new(),
        });
    }

    fn give_back(&mut self, held: &mut [ReservedItem], extent: &Extent) -> Vec<Line> {
        let asked = match extent {
            Extent::Everything => None,
            Extent::Items(items) => Some(lines::wanted(items.iter().map(lines::line))),
        };
        let mut given = Vec::new();
        for item in held {
            let most = asked.as_ref().map_or(u64::MAX, |asked| lines::pieces(asked, &item.product));
            let pieces = item.held.min(u32::try_from(most).unwrap_or(u32::MAX));
            let Ok(quantity) = Quantity::new(pieces) else { continue };
            item.held -= pieces;
            if let Some(level) = self.book.products.get_mut(&item.product) {
                level.give_back(pieces);
            }
            given.push((item.product.clone(), quantity));
        }
        given
    }

    /// Takes back what the same saga gave back: all that the command names of it, or nothing. Where there is not
    /// enough, the answer has no items and the saga may ask again when there is; every other answer is for ever.
    fn restore(&mut self, order: &mut Order, command: &RestoreReservation) {
        let mut short = Vec::new();
        let saga = order.sagas.get(&command.saga_id).cloned().unwrap_or_default();
        let done = match (saga.restored, saga.cancelled) {
            (Some(done), _) => Ok(done),
            (None, Some(cancelled)) => {
                let asked = lines::wanted(command.items.iter().map(lines::line));
                let taken = self.take(&lines::overlap(&asked, &cancelled.items));
                let reservation = cancelled.reservation;
                match taken {
                    Ok(items) => Ok(Done { reservation, items }),
                    Err(lacking) => {
                        short = lacking;
                        Err(Done { reservation, items: Vec::new() })
                    }
                }
            }
            // Remembered, so that the cancellation that it undoes does nothing when it comes late.
            (None, None) => Ok(Done { reservation: order.reservation().cloned(), items: Vec::new() }),
        };
        if let Ok(done) = &done {
            let saga = order.sagas.entry(command.saga_id.clone()).or_default();
            if saga.restored.is_none() {
                saga.restored = Some(done.clone());
                hold(order, &done.items);
                short.extend(done.items.iter().map(|(product, _)| product.clone()));
                short.retain(|product| self.is_out(product));
            }
        }
        let (Ok(done) | Err(done)) = done;
        self.answer(ReservationRestored {
            event_id: self.desk.ids.event_id(),
            order_id: self.order_id.clone(),
            timestamp: self.desk.now.clone(),
            saga_id: command.saga_id.clone(),
            reservation_id: done.reservation,
            items: lines::items(&done.items),
            extra: Fields::new(),
        });
        self.tell(&short);
    }

    fn announce_reserved(&mut self, id: ReservationId, items: &[ReservedItem]) {
        let lines: Vec<Line> = items.iter().map(|item| (item.product.clone(), item.ordered)).collect();
        let reserved_items = Items::new(lines::items(&lines).into_vec()).expect("an order has an item");
        self.answer(InventoryReserved {
            event_id: self.desk.ids.event_id(),
            order_id: self.order_id.clone(),
            reservation_id: id,
            timestamp: self.desk.now.clone(),
            reserved_items,
            extra: Fields::new(),
        });
    }

    fn announce_failed(&mut self, failure_reason: Text<1000>) {
        self.answer(InventoryFailed {
            event_id: self.desk.ids.event_id(),
            order_id: self.order_id.clone(),
            timestamp: self.desk.now.clone(),
            failure_reason,
            extra: Fields::new(),
        });
    }

    /// Tells operations of products that are short, unless they know.
    fn tell(&mut self, short: &[ProductId]) {
        for product in short {
            let Some(level) = self.book.products.get_mut(product) else { continue };
            if std::mem::replace(&mut level.told, true) {
                continue;
            }
            let available = level.available;
            self.answer(SendNotification {
                event_id: self.desk.ids.event_id(),
                order_id: self.order_id.clone(),
                timestamp: self.desk.now.clone(),
                customer_id: None,
                channel: Channel::Operator,
                to: self.desk.operators.clone(),
                template: Text::new("out-of-stock").expect("a short text"),
                parameters: lines::parameters(product, available),
                extra: Fields::new(),
            });
        }
    }

    fn answer(&mut self, event: impl Into<Event>) {
        self.answers.push(Answer { to: self.to, event: event.into() });
    }
}

/// Notes that these pieces are held back again.
fn hold(order: &mut Order, lines: &[Line]) {
    if let Some(Outcome::Reserved { items, .. }) = &mut order.outcome {
        for (product, quantity) in lines {
            for item in items.iter_mut().filter(|item| item.product == *product) {
                item.held += quantity.get();
            }
        }
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
