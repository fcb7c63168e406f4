//! The order service at work.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::api::{self, Api, Beside};
use super::capturing::Captures;
use super::desk::{self, Clerk};
use super::feed::Feed;
use super::giving_up::GiveUp;
use super::ids::OrderIds;
use super::payment::Payments;
use super::recent::Recent;
use super::reserving::{self, Inventory, Reserving};
use super::results::{Ledger, Results};
use super::store::{self, MIGRATIONS};
use crate::event::EventType;
use crate::runtime::http::Token;
use crate::runtime::relay::Wake;
use crate::runtime::service::{Ending, Service, ServiceError, Surroundings, Work, asked};
use crate::runtime::startup::outlet;
use crate::schema::Judge;
use crate::services::announce::{Announcer, new_event_id};
use crate::services::consume::{in_one_lane, options};
use crate::store::Store;
use crate::unit::{Money, UnixMillis};

/// The service's name in the topology.
pub(crate) const NAME: &str = "order-service";
/// What it takes of what the inventory answers.
const ANSWERS: [EventType; 4] = [
    EventType::InventoryReserved,
    EventType::InventoryFailed,
    EventType::ReservationCancelled,
    EventType::ReservationRestored,
];
/// How long an idempotency key is known, and how often old ones are looked for.
const KEY_KNOWN: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
const FORGET_KEYS: std::time::Duration = std::time::Duration::from_secs(600);

/// What the order service is started with.
pub(crate) struct Settings<P> {
    /// Judges events by their type.
    pub(crate) judge: Arc<Judge>,
    pub(crate) prices: HashMap<String, Money>,
    /// Who may use the API; `None`: anybody.
    pub(crate) token: Option<Token>,
    /// Who takes the money; `None`: payments are not captured.
    pub(crate) payments: Option<Arc<P>>,
    /// Whether new orders are turned away though the service goes on.
    pub(crate) closed: watch::Receiver<bool>,
    /// What is served beside the API.
    pub(crate) beside: Beside,
    /// Whom a client waits for; `None`: reservations are asked for by events.
    pub(crate) reserve: Option<Inventory>,
}

/// Runs the order service until `shutdown` completes.
pub(crate) async fn run<P: Payments>(
    settings: Settings<P>,
    around: Surroundings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServiceError> {
    let topology = &around.topology;
    let orders = outlet(topology, NAME, EventType::OrderPlaced.as_str())?;
    let notifications = outlet(topology, NAME, EventType::SendNotification.as_str())?.name.to_string();
    let options = in_one_lane(options(topology, NAME, &settings.judge, &ANSWERS)?);
    let (feed, recent) = (Feed::default(), Recent::default());
    let captures_due = Arc::new(Notify::new());
    let mut wake = Wake::new();
    if settings.payments.is_some() {
        wake = wake.and(Arc::clone(&captures_due));
    }
    let service = Service::new(NAME, MIGRATIONS, wake.clone());
    let announcer = Announcer::new(settings.judge);
    let ledger = Ledger {
        announcer: announcer.clone(),
        notifications,
        capture: settings.payments.is_some(),
        feed: feed.clone(),
        recent: recent.clone(),
        now: UnixMillis::now,
        new_id: new_event_id,
    };
    let reserving = match settings.reserve {
        None => None,
        Some(inventory) => {
            let commands = outlet(topology, NAME, EventType::CancelReservation.as_str())?.name.to_string();
            let give_up =
                GiveUp { ledger: ledger.clone(), commands, reason: reserving::REASON, saga: "unanswered" };
            Some(Reserving { inventory, give_up, wake: wake.clone() })
        }
    };
    let (desk, clerk) = desk::open();
    let api = Api {
        desk,
        feed: feed.clone(),
        store: service.store(),
        prices: Arc::new(settings.prices),
        announcer,
        topic: orders.name.as_str().into(),
        now: UnixMillis::now,
        new_event_id,
        order_ids: OrderIds::new(u32::try_from(orders.partitions).unwrap_or(1), Uuid::new_v4().as_fields().0),
        token: settings.token,
        ending: service.ending(),
        streams: Api::streams(),
        closed: settings.closed,
        reserving: reserving.clone(),
    };
    let routes = api::routes(api, settings.beside);
    let work = Work { routes, options, handler: Results(ledger.clone()), answers: false };
    let payments = settings.payments;
    let workers = move |store: &Store, tasks: &mut tokio::task::JoinSet<()>, ending: Ending| {
        let (of_feed, ends) = (store.clone(), ending.clone());
        tasks.spawn(async move { feed.run(&of_feed, asked(ends)).await });
        tasks.spawn(forget_keys(store.clone(), ending.clone()));
        if let Some(reserving) = reserving {
            tasks.spawn(reserving.sweep(store.clone(), ending.clone()));
        }
        if let Some(payments) = payments {
            let captures = Captures { store: store.clone(), ledger, payments, wake };
            tasks.spawn(async move { captures.run(&captures_due, asked(ending)).await });
        }
    };
    // In a task of its own: clients wait for it, whatever the rest of the service is busy with.
    let writing = tokio::spawn(write(clerk, recent, service.store(), service.wake.clone()));
    let worked = service.run(around, work, async |_: &Store| Ok(()), workers, shutdown).await;
    match writing.await {
        Err(error) if error.is_panic() => Err(ServiceError::Panicked),
        _ => worked,
    }
}

/// Orders are taken in as soon as there is a store, whatever Kafka does. Ends when the API does.
async fn write(clerk: Clerk, recent: Recent, mut store: watch::Receiver<Option<Store>>, wake: Wake) {
    let opened = store.wait_for(Option::is_some).await.ok().and_then(|store| store.clone());
    if let Some(store) = opened {
        clerk.run(store, recent, wake, UnixMillis::now).await;
    }
}

async fn forget_keys(store: Store, ending: Ending) {
    let forgetting = async {
        loop {
            tokio::time::sleep(FORGET_KEYS).await;
            let mut tx = store.tx();
            let forgotten = async {
                store::forget_keys(&mut tx, UnixMillis::now().before(KEY_KNOWN)).await?;
                tx.commit().await
            };
            if let Err(error) = forgotten.await {
                tracing::info!("idempotency keys: {error}");
            }
        }
    };
    tokio::select! {
        () = asked(ending) => {}
        never = forgetting => never,
    }
}
