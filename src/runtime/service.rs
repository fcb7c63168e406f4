//! What every service is made of, put together: HTTP, a store, a consumer, a relay, and how they begin and end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::consumer::{self, Consumer, ConsumerError, Options};
use super::handler::Handling;
use super::health::Health;
use super::http::{Limits, Operations, complete, observed, operations, serve};
use super::in_hand::InHand;
use super::metrics::Measured;
use super::relay::{self, Relay, Wake};
use super::startup::{Lacking, NoOutlet, cluster_has, needs, open_store};
use super::trace::Tracing;
use crate::kafka::{Cluster, DataError};
use crate::store::cluster::{ClusterKind, stay_with};
use crate::store::{Location, Migration, Store, StoreError};
use crate::topology::Topology;

/// Connections of one process to PostgreSQL.
const CONNECTIONS: u32 = 16;
/// The pause before a store that was there a moment ago is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// The beat of services' relays. An event is handled by the next service 19 ms after the beat at the median, where one machine
/// has all of it (28 for nine in ten, of 8,000 at 500 orders/s): a shorter beat wins little, as what follows waits for the
/// second next, and costs every broker more requests.
pub(crate) const BEAT: Duration = Duration::from_millis(20);
/// How long a round waits at most for the batch whose answers it publishes; less than the producer waits for who reads rows.
const BEHIND: Duration = Duration::from_millis(6);
/// How long rows that the producer has are waited for at the end.
const RELAY_GRACE: Duration = Duration::from_secs(5);

/// What a service is started with.
pub(crate) struct Surroundings {
    pub(crate) topology: Arc<Topology>,
    pub(crate) cluster: Cluster,
    /// A store stays with the kind of cluster that it was used with.
    pub(crate) kind: ClusterKind,
    pub(crate) location: Location,
    pub(crate) listener: TcpListener,
    pub(crate) limits: Limits,
    /// A name that outlives a restart (`group.instance.id`).
    pub(crate) instance: Option<String>,
    /// How long the group waits for a member that says nothing.
    pub(crate) session: Duration,
    pub(crate) measured: Option<Measured>,
    pub(crate) tracing: Tracing,
    /// Unlike that of every other process, for leases.
    pub(crate) process: String,
}

/// What a service does.
pub(crate) struct Work<H> {
    pub(crate) routes: Router,
    /// How its group consumes.
    pub(crate) options: Options,
    pub(crate) handler: H,
    /// Whether somebody waits for what the handler announces, and for hardly anything else of this service.
    pub(crate) answers: bool,
}

/// Why a service ended by itself, or did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cluster is less than the topology promises.
    #[error("the cluster lacks what the topology promises")]
    Lacking(#[from] Lacking),
    #[error(transparent)]
    NoOutlet(#[from] NoOutlet),
    #[error("the topology gives {0} no group, or nothing to consume")]
    NoGroup(&'static str),
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    #[error("the producer does not start: {0}")]
    Producer(#[from] DataError),
    /// A task of ours panicked; its words are in the log.
    #[error("a part of the service panicked")]
    Panicked,
}

/// A service that was made, and is not at work yet.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) migrations: &'static [Migration],
    pub(crate) health: Health,
    pub(crate) wake: Wake,
    store: watch::Sender<Option<Store>>,
    ending: watch::Sender<bool>,
}

/// When a task is to end.
pub(crate) type Ending = watch::Receiver<bool>;

pub(crate) async fn asked(mut ending: Ending) {
    let _ = ending.wait_for(|ending| *ending).await;
}

impl Service {
    pub(crate) fn new(name: &'static str, migrations: &'static [Migration], wake: Wake) -> Self {
        Self {
            name,
            migrations,
            health: Health::new(),
            wake,
            store: watch::Sender::new(None),
            ending: watch::Sender::new(false),
        }
    }

    /// The store, as soon as it is open.
    pub(crate) fn store(&self) -> watch::Receiver<Option<Store>> {
        self.store.subscribe()
    }

    pub(crate) fn ending(&self) -> Ending {
        self.ending.subscribe()
    }

    /// Works until `shutdown` completes, then finishes what is in hand: requests, batches, and what they announced.
    ///
    /// HTTP serves from the beginning. When the store is open `begin` makes it fit for work. With it, and a cluster
    /// that has what the topology promises, the handler gets what the group consumes, and `workers` run beside it until
    /// they are told to end.
    pub(crate) async fn run<H: Handling>(
        self,
        around: Surroundings,
        work: Work<H>,
        begin: impl AsyncFn(&Store) -> Result<(), StoreError>,
        workers: impl FnOnce(&Store, &mut JoinSet<()>, Ending),
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServiceError> {
        let Work { routes, options, handler, answers } = work;
        let Surroundings { topology, cluster, kind, location, listener, limits, instance, session, .. } =
            around;
        let (measured, tracing, process) = (around.measured, around.tracing, around.process);
        let backstage = watch::Sender::new(false);
        let mut helpers = JoinSet::new();
        if let Some(measured) = &measured {
            helpers.spawn(measured.clone().sum_up(asked(backstage.subscribe())));
        }
        let of = Operations {
            service: self.name,
            health: self.health.clone(),
            measured,
            store: self.store(),
            ending: self.ending(),
        };
        let app = observed(complete(routes.merge(operations(of))), tracing.clone());
        let mut http = JoinSet::new();
        http.spawn(serve(listener, app, limits, asked(self.ending())));
        let mut shutdown = std::pin::pin!(shutdown);
        let prepared = tokio::select! {
            () = &mut shutdown => None,
            prepared = prepare(&self, &location, (&cluster, kind), &topology, begin) => Some(prepared),
        };
        let worked = match prepared {
            None => Ok(()),
            Some(Err(error)) => Err(error),
            Some(Ok(store)) => {
                workers(&store, &mut helpers, backstage.subscribe());
                let producer = cluster.producer()?;
                let options_of_relay = relay::Options { beat: BEAT, ..relay::Options::default() };
                let relay = Relay::new(store.clone(), producer.clone(), options_of_relay, process);
                let mut relay = relay.reporting(self.health.clone()).traced(tracing.clone());
                let in_hand = InHand::default();
                if answers {
                    relay = relay.behind(in_hand.clone(), BEHIND);
                }
                let consumer = Consumer::new(handler, producer, Some(store.clone()), options)
                    .waking(self.wake.clone())
                    .reporting(self.health.clone())
                    .showing(in_hand)
                    .traced(tracing);
                let ending = asked(self.ending());
                let consuming = in_a_task(async move {
                    consumer::run(consumer, &cluster, instance, session, ending).await.map_err(Into::into)
                });
                let (wake, ending) = (self.wake.clone(), asked(backstage.subscribe()));
                let relaying = in_a_task(async move {
                    relay::run(relay, wake, RELAY_GRACE, ending).await.map_err(Into::into)
                });
                until_the_end(&self, consuming, relaying, &mut helpers, &backstage, shutdown).await
            }
        };
        self.ending.send_replace(true);
        backstage.send_replace(true);
        while http.join_next().await.is_some() {}
        while let Some(ended) = helpers.join_next().await {
            if ended.is_err_and(|error| error.is_panic()) {
                return Err(ServiceError::Panicked);
            }
        }
        let store = self.store.borrow().clone();
        if let Some(store) = store {
            store.close().await;
        }
        worked
    }
}

async fn prepare(
    service: &Service,
    location: &Location,
    (cluster, kind): (&Cluster, ClusterKind),
    topology: &Topology,
    begin: impl AsyncFn(&Store) -> Result<(), StoreError>,
) -> Result<Store, ServiceError> {
    let health = &service.health;
    health.troubled("start", "it begins");
    let store = open_store(location, service.name, service.migrations, CONNECTIONS, health).await?;
    let fit = async || {
        let mut tx = store.tx();
        stay_with(&mut tx, kind).await?;
        tx.commit().await?;
        begin(&store).await
    };
    while let Err(error) = fit().await {
        if !error.is_transient() {
            return Err(error.into());
        }
        health.troubled("start", format!("it waits for its store: {error}"));
        tokio::time::sleep(AGAIN).await;
    }
    service.store.send_replace(Some(store.clone()));
    cluster_has(cluster.config(), &needs(topology, service.name), health).await?;
    Ok(store)
}

/// Works in a task of its own, which ends when nobody waits for it any more. Whoever waits for a service may be the thread
/// that began the process, which the runtime's threads would have to wake for every answer of a store.
async fn in_a_task(
    work: impl Future<Output = Result<(), ServiceError>> + Send + 'static,
) -> Result<(), ServiceError> {
    let mut task = JoinSet::new();
    task.spawn(work);
    match task.join_next().await {
        Some(Ok(ended)) => ended,
        _ => Err(ServiceError::Panicked),
    }
}

/// Consumes and relays until the end; the relay ends last, since what others finish is announced by it.
async fn until_the_end(
    service: &Service,
    consuming: impl Future<Output = Result<(), ServiceError>>,
    relaying: impl Future<Output = Result<(), ServiceError>>,
    helpers: &mut JoinSet<()>,
    backstage: &watch::Sender<bool>,
    mut shutdown: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Result<(), ServiceError> {
    let mut consuming = std::pin::pin!(consuming);
    let mut relaying = std::pin::pin!(relaying);
    tokio::select! {
        () = &mut shutdown => {}
        ended = &mut consuming => return ended,
        ended = &mut relaying => return ended,
        Some(_) = helpers.join_next() => return Err(ServiceError::Panicked),
    }
    service.ending.send_replace(true);
    // The relay goes on meanwhile.
    tokio::select! {
        ended = &mut consuming => ended?,
        ended = &mut relaying => return ended,
    }
    backstage.send_replace(true);
    relaying.await
}
