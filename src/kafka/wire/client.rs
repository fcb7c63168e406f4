//! Requests routed to the brokers of a cluster: a few connections a broker, kept and reused.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::{HeaderVersion, Request};
use tokio::task::JoinSet;

use super::connection::Connection;
use super::error::WireError;
use super::tls::TlsSetup;
use crate::connection::{Address, ConnectionConfig};

/// The next address is tried when the one before has not answered for this long.
const HEAD_START: Duration = Duration::from_millis(250);

/// Who is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Whichever broker is reached first.
    Any,
    /// The active controller, as far as the cluster tells (a broker that forwards to it in KRaft).
    Controller,
    Broker(i32),
}

/// A client of one cluster.
pub(crate) struct Client {
    config: ConnectionConfig,
    tls: Option<TlsSetup>,
    idle: Mutex<HashMap<Address, Vec<Connection>>>,
    cluster: Mutex<Cluster>,
}

#[derive(Clone, Default)]
struct Cluster {
    brokers: Vec<(i32, Address)>,
    controller: Option<i32>,
    elr_version: i16,
}

impl Client {
    /// Reaches the first broker that answers and learns the others from it.
    pub(crate) async fn connect(config: ConnectionConfig) -> Result<Self, WireError> {
        let tls = if config.protocol.uses_tls() { Some(TlsSetup::build(&config.tls)?) } else { None };
        let client = Self { config, tls, idle: Mutex::default(), cluster: Mutex::default() };
        match client.refresh().await {
            // Before a login a broker answers ApiVersions and hangs up on anything else.
            Err(WireError::Closed { address, during: "Metadata" }) if !client.config.protocol.uses_sasl() => {
                Err(WireError::LoginExpected { address, protocol: client.config.protocol.name() })
            }
            Err(error) => Err(error),
            Ok(()) => Ok(client),
        }
    }

    /// Asks anew which brokers there are and who controls them.
    pub(crate) async fn refresh(&self) -> Result<(), WireError> {
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        // Idle connections may be dead without our knowing; each failure discards those to one
        // broker, so that at last one is opened anew.
        let mut attempts = self.cluster().brokers.len();
        loop {
            match self.call(Target::Any, &request).await {
                Ok(answer) => {
                    self.learn(&answer);
                    return Ok(());
                }
                Err(error) if error.is_final() || attempts == 0 => return Err(error),
                Err(_) => attempts -= 1,
            }
        }
    }

    /// The brokers as last heard, by id.
    pub(crate) fn brokers(&self) -> Vec<i32> {
        self.cluster().brokers.iter().map(|(id, _)| *id).collect()
    }

    /// `eligible.leader.replicas.version` as finalised by the cluster.
    pub(crate) fn elr_version(&self) -> i16 {
        self.cluster().elr_version
    }

    /// How long one request may take at the broker.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.config.request_timeout
    }

    /// Takes over what a metadata answer says of the brokers.
    pub(crate) fn learn(&self, answer: &MetadataResponse) {
        let brokers = answer
            .brokers
            .iter()
            .filter_map(|broker| {
                let port = u16::try_from(broker.port).ok()?;
                Some((broker.node_id.0, Address { host: broker.host.to_string(), port }))
            })
            .collect::<Vec<_>>();
        let mut cluster = lock(&self.cluster);
        if !brokers.is_empty() {
            cluster.brokers = brokers;
            cluster.brokers.sort();
        }
        cluster.controller = (answer.controller_id.0 >= 0).then_some(answer.controller_id.0);
    }

    /// Sends one request and waits for its answer.
    pub(crate) async fn call<R: Request + HeaderVersion>(
        &self,
        target: Target,
        request: &R,
    ) -> Result<R::Response, WireError> {
        let mut connection = self.take(target).await?;
        let answer = connection.call(request).await;
        self.settle(connection, answer)
    }

    /// Sends many requests over one connection without waiting in between; answers come in order.
    pub(crate) async fn pipeline<R: Request + HeaderVersion>(
        &self,
        target: Target,
        requests: &[R],
        each: impl FnMut(usize, R::Response),
    ) -> Result<(), WireError> {
        let mut connection = self.take(target).await?;
        let answer = connection.pipeline(requests, each).await;
        self.settle(connection, answer)
    }

    fn cluster(&self) -> Cluster {
        lock(&self.cluster).clone()
    }

    async fn take(&self, target: Target) -> Result<Connection, WireError> {
        let addresses = self.addresses(target)?;
        let idle = addresses.iter().find_map(|address| lock(&self.idle).get_mut(address).and_then(Vec::pop));
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.open_first(&addresses).await?,
        };
        // A session that cannot be renewed (the broker restarted, the connection is dead) is opened anew.
        if connection.renew(&self.config).await.is_err() {
            connection = self.open_first(&addresses).await?;
        }
        lock(&self.cluster).elr_version = connection.elr_version();
        Ok(connection)
    }

    /// Keeps a connection that works. One that failed says that its broker's others are no better.
    fn settle<T>(&self, connection: Connection, answer: Result<T, WireError>) -> Result<T, WireError> {
        let address = connection.address().clone();
        let mut idle = lock(&self.idle);
        match &answer {
            Ok(_) => idle.entry(address).or_default().push(connection),
            Err(_) => drop(idle.remove(&address)),
        }
        answer
    }

    fn addresses(&self, target: Target) -> Result<Vec<Address>, WireError> {
        let cluster = self.cluster();
        let of = |id: i32| {
            cluster.brokers.iter().find(|(known, _)| *known == id).map(|(_, address)| address.clone())
        };
        match target {
            Target::Broker(id) => of(id).map(|address| vec![address]).ok_or(WireError::UnknownBroker(id)),
            Target::Controller => match cluster.controller.and_then(of) {
                Some(address) => Ok(vec![address]),
                None => self.addresses(Target::Any),
            },
            Target::Any => {
                let mut addresses = self.config.bootstrap.clone();
                let known = cluster.brokers.iter().map(|(_, address)| address);
                addresses.extend(known.filter(|address| !self.config.bootstrap.contains(address)).cloned());
                Ok(addresses)
            }
        }
    }

    /// Tries the addresses one after the other, each with a head start; the first that answers wins.
    async fn open_first(&self, addresses: &[Address]) -> Result<Connection, WireError> {
        let mut attempts = JoinSet::new();
        let mut waiting = addresses.iter().cloned();
        let mut errors = Vec::new();
        loop {
            if let Some(address) = waiting.next() {
                let (config, tls) = (self.config.clone(), self.tls.clone());
                attempts.spawn(async move { Connection::open(&address, &config, tls.as_ref()).await });
            }
            let finished = if waiting.len() > 0 {
                match tokio::time::timeout(HEAD_START, attempts.join_next()).await {
                    Ok(finished) => finished,
                    Err(_) => continue,
                }
            } else {
                attempts.join_next().await
            };
            match finished {
                Some(Ok(Ok(connection))) => {
                    attempts.shutdown().await;
                    return Ok(connection);
                }
                Some(Ok(Err(error))) if error.is_final() => {
                    attempts.shutdown().await;
                    return Err(error);
                }
                Some(Ok(Err(error))) => errors.push(error),
                // An attempt never panics and is never cancelled while it is awaited here.
                Some(Err(_)) => {}
                None if errors.len() == 1 => return Err(errors.remove(0)),
                None => return Err(WireError::NoneReached(errors)),
            }
        }
    }
}

/// The maps stay whole even if a holder panics: every change is a single assignment.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
