//! Commands, books and answers in few words, for tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::command::Command;
use super::decide::{Answer, Desk, decide};
use super::handler::{Inventory, Settings};
use super::ids::Ids;
use super::model::{Book, Level, Outcome};
use crate::event::{
    CancelReservation, CustomerId, Event, EventId, Extent, Fields, Item, Items, OrderId, OrderPlaced,
    PricedItem, PricedItems, ProductId, Quantity, ReservationId, RestoreReservation, SagaId, ShippingAddress,
    Text, Timestamp,
};
use crate::messaging::Record;
use crate::schema::Judge;
use crate::services::announce::Announcer;
use crate::unit::{Money, UnixMillis};

pub(crate) const NOW: UnixMillis = UnixMillis(1_725_185_731_000);

/// Ids that count: `evt-1`, `RES-1`.
#[derive(Default)]
pub(crate) struct Counted(AtomicU32, AtomicU32);

impl Ids for Counted {
    fn event_id(&self) -> EventId {
        EventId::new(format!("evt-{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)).unwrap()
    }

    fn reservation_id(&self) -> ReservationId {
        ReservationId::new(format!("RES-{}", self.1.fetch_add(1, Ordering::Relaxed) + 1)).unwrap()
    }
}

/// The same with a name before each, as two processes have other ids.
pub(crate) struct Named(pub(crate) String, pub(crate) Counted);

impl Ids for Named {
    fn event_id(&self) -> EventId {
        EventId::new(format!("{}{}", self.0, self.1.event_id())).unwrap()
    }

    fn reservation_id(&self) -> ReservationId {
        ReservationId::new(format!("{}{}", self.0, self.1.reservation_id())).unwrap()
    }
}

/// Our schemas and rules.
pub(crate) fn judge() -> Judge {
    crate::event::judge().unwrap()
}

pub(crate) fn operators() -> Text<320> {
    Text::new("stock-desk").unwrap()
}

pub(crate) fn product(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

fn timestamp() -> Timestamp {
    Timestamp::from_unix_millis(NOW.0).unwrap()
}

fn event_id() -> EventId {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    EventId::new(format!("in-{}", NEXT.fetch_add(1, Ordering::Relaxed))).unwrap()
}

fn items(lines: &[(&str, u32)]) -> Vec<Item> {
    let item = |(id, pieces): &(&str, u32)| Item {
        product_id: product(id),
        quantity: Quantity::new(*pieces).unwrap(),
        extra: Fields::new(),
    };
    lines.iter().map(item).collect()
}

pub(crate) fn place(order: &str, lines: &[(&str, u32)]) -> Command {
    let priced = |item: Item| PricedItem {
        product_id: item.product_id,
        quantity: item.quantity,
        unit_price: Money::from_cents(4_999).unwrap(),
        extra: Fields::new(),
    };
    let text = |text: &str| Text::new(text).unwrap();
    Command::Place(OrderPlaced {
        event_id: event_id(),
        order_id: OrderId::new(order).unwrap(),
        customer_id: CustomerId::new("CUST-42").unwrap(),
        timestamp: timestamp(),
        items: PricedItems::new(items(lines).into_iter().map(priced).collect()).unwrap(),
        shipping_address: ShippingAddress {
            street: text("123 Main St"),
            city: text("Austin"),
            state: text("TX"),
            zip: text("78701"),
            extra: Fields::new(),
        },
        extra: Fields::new(),
    })
}

/// Without items: of everything.
pub(crate) fn cancel(order: &str, saga: &str, lines: &[(&str, u32)]) -> Command {
    let extent = Items::new(items(lines)).map_or(Extent::Everything, Extent::Items);
    Command::Cancel(CancelReservation {
        event_id: event_id(),
        order_id: OrderId::new(order).unwrap(),
        timestamp: timestamp(),
        saga_id: SagaId::new(saga).unwrap(),
        reason: Text::new("The payment was declined").unwrap(),
        items: extent,
        extra: Fields::new(),
    })
}

pub(crate) fn restore(order: &str, saga: &str, lines: &[(&str, u32)]) -> Command {
    Command::Restore(RestoreReservation {
        event_id: event_id(),
        order_id: OrderId::new(order).unwrap(),
        timestamp: timestamp(),
        saga_id: SagaId::new(saga).unwrap(),
        items: Items::new(items(lines)).unwrap(),
        extra: Fields::new(),
    })
}

/// The same about another order, whose name begins with `prefix`.
pub(crate) fn of_orders(prefix: &str, mut command: Command) -> Command {
    let order = match &mut command {
        Command::Place(order) => &mut order.order_id,
        Command::Cancel(command) => &mut command.order_id,
        Command::Restore(command) => &mut command.order_id,
    };
    *order = OrderId::new(format!("{prefix}{order}")).unwrap();
    command
}

/// The event that brings a command.
pub(crate) fn event(command: Command) -> Event {
    match command {
        Command::Place(order) => order.into(),
        Command::Cancel(command) => command.into(),
        Command::Restore(command) => command.into(),
    }
}

pub(crate) fn book(stock: &[(&str, u64)]) -> Book {
    let level =
        |(id, available): &(&str, u64)| (product(id), Level { available: *available, ..Level::default() });
    Book { products: stock.iter().map(level).collect(), orders: BTreeMap::new() }
}

pub(crate) fn decided(book: Book, commands: &[Command], ids: &Counted) -> (Book, Vec<Answer>) {
    decide(book, commands, &Desk { ids, now: &timestamp(), operators: &operators() })
}

/// An inventory that has the answers of a batch to itself.
pub(crate) fn inventory() -> Inventory {
    with_judge(judge())
}

pub(crate) fn with_judge(judge: Judge) -> Inventory {
    Inventory::new(settings(judge), Counted::default())
}

pub(crate) fn settings(judge: Judge) -> Settings {
    Settings {
        results: "results".to_owned(),
        notifications: "notifications".to_owned(),
        operators: operators(),
        announcer: Announcer::new(Arc::new(judge)),
        delay: Duration::ZERO,
        now: || NOW,
    }
}

/// The record that brings a command.
pub(crate) fn record(command: &Command) -> Record {
    let event = event(command.clone());
    let headers = [("traceparent", Some(TRACE.as_bytes()))];
    Record::at("commands", 0, 0).holding(
        Some(event.order_id().as_str().as_bytes()),
        Some(event.to_json().as_bytes()),
        headers.into_iter(),
    )
}

pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// `A=3+2 B=0+1!`: what is available, what is reserved, and whether operations know of it.
pub(crate) fn levels<'p>(products: impl IntoIterator<Item = (&'p ProductId, &'p Level)>) -> String {
    let level = |(id, level): (&ProductId, &Level)| {
        format!("{id}={}+{}{}", level.available, level.reserved, if level.told { "!" } else { "" })
    };
    products.into_iter().map(level).collect::<Vec<_>>().join(" ")
}

/// `O1 reserved RES-1: A 2, B 1`.
pub(crate) fn words(event: &Event) -> String {
    let lines = |items: &[Item]| {
        let line = |item: &Item| format!("{} {}", item.product_id, item.quantity);
        items.iter().map(line).collect::<Vec<_>>().join(", ")
    };
    let id = |id: &Option<ReservationId>| id.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    let order = event.order_id();
    match event {
        Event::InventoryReserved(event) => {
            format!("{order} reserved {}: {}", event.reservation_id, lines(&event.reserved_items))
        }
        Event::InventoryFailed(event) => format!("{order} failed: {}", event.failure_reason),
        Event::ReservationCancelled(event) => {
            format!(
                "{order} {} cancelled {}: {}",
                event.saga_id,
                id(&event.reservation_id),
                lines(&event.items)
            )
        }
        Event::ReservationRestored(event) => {
            format!(
                "{order} {} restored {}: {}",
                event.saga_id,
                id(&event.reservation_id),
                lines(&event.items)
            )
        }
        Event::SendNotification(event) => {
            let parameter = |name| event.parameters.get(name).unwrap().get();
            format!("{order} told {}: {} {}", event.to, parameter("productId"), parameter("available"))
        }
        other => panic!("the inventory never says {}", other.event_type()),
    }
}

/// For every product: what is reserved is what reservations hold.
pub(crate) fn holds_what_is_reserved(book: &Book) -> bool {
    let mut held: BTreeMap<&ProductId, u64> = BTreeMap::new();
    for order in book.orders.values() {
        if let Some(Outcome::Reserved { items, .. }) = &order.outcome {
            for item in items {
                *held.entry(&item.product).or_default() += u64::from(item.held);
            }
        }
    }
    book.products.iter().all(|(id, level)| held.get(id).copied().unwrap_or(0) == level.reserved)
}

pub(crate) const PRODUCTS: [&str; 3] = ["A", "B", "C"];

/// Commands about few orders, products and sagas, so that they meet.
pub(crate) fn commands() -> impl Strategy<Value = Vec<Command>> {
    let order = prop::sample::select(vec!["O1", "O2", "O3", "O4"]);
    let saga = prop::sample::select(vec!["S", "T"]);
    let product = prop::sample::select(vec!["A", "A", "B", "B", "C", "C", "unknown"]);
    let pieces = prop_oneof![30 => 1..5_u32, 1 => Just(i32::MAX.unsigned_abs())];
    let lines = prop::collection::vec((product, pieces), 1..5);
    let one =
        (0..8, order, saga, lines, any::<bool>()).prop_map(|(kind, order, saga, lines, all)| match kind {
            0..=3 => place(order, &lines),
            4 | 5 => cancel(order, saga, if all { &[] } else { &lines }),
            _ => restore(order, saga, &lines),
        });
    prop::collection::vec(one, 0..40)
}

/// How much there is at first of each of [`PRODUCTS`].
pub(crate) fn stocks() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(0..12_u64, 3)
}

pub(crate) fn of(stock: &[u64]) -> Book {
    let stock: Vec<(&str, u64)> = PRODUCTS.into_iter().zip(stock.iter().copied()).collect();
    book(&stock)
}

/// What there is of each product, reserved or not.
pub(crate) fn sums(book: &Book) -> BTreeMap<ProductId, u64> {
    book.products.iter().map(|(id, level)| (id.clone(), level.available + level.reserved)).collect()
}
