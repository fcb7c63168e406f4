//! What one group of children works on: its topics, its database, and the inputs that it is given.

use std::process::Child;
use std::time::{Duration, Instant};

use kafkaflow::kafka::{Cluster, Producer};
use kafkaflow::messaging::{Header, Outgoing, publish_all};
use sqlx::Connection;

use super::check::{self, Figures, Found};
use super::child::{Orders, Signal, is_alone};
use crate::support::Folder;
use crate::support::brokers::{brokers, create_topic};
use crate::support::stores;

pub(super) const PARTITIONS: i32 = 3;
const KEYS: u64 = 7;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
    /// PostgreSQL, where batches are tried without holding what is read.
    Optimistic,
}

impl Kind {
    /// Key and input of each effect, in the order of their writing.
    fn effects(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "SELECT key, id FROM effect ORDER BY n",
            Self::Optimistic => "SELECT aggregateid::text, substr(id, 5) FROM outbox ORDER BY seq",
        }
    }
}

pub(super) struct World {
    pub(super) orders: Orders,
    folder: Folder,
    kind: Kind,
    producer: Producer,
    runtime: tokio::runtime::Runtime,
    next: u64,
}

impl World {
    pub(super) fn new(name: &str, kind: Kind) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let folder = Folder::new();
        let store = match kind {
            Kind::Sqlite => stores::sqlite(&folder),
            // A process that is stopped in a transaction is soon cut off.
            Kind::Postgres | Kind::Optimistic => {
                let url = runtime.block_on(stores::database());
                format!("{url}?options[idle_in_transaction_session_timeout]=2s")
            }
        };
        for (topic, partitions) in [("in", PARTITIONS), ("out", PARTITIONS), ("in.DLT", 1)] {
            create_topic(&format!("{name}.{topic}"), partitions, &["--config", "min.insync.replicas=2"]);
        }
        let orders = Orders {
            brokers: brokers(),
            store,
            name: name.to_owned(),
            instance: None,
            session_ms: 1500,
            fate: None,
            concurrency: None,
            optimistic: kind == Kind::Optimistic,
        };
        let producer = Cluster::at(&brokers()).unwrap().producer().unwrap();
        Self { orders, folder, kind, producer, runtime, next: 0 }
    }

    /// Publishes so many inputs, and waits until all are acknowledged.
    pub(super) fn produce(&mut self, count: u64) {
        let records: Vec<Outgoing> =
            (self.next..self.next + count).map(|id| input(&self.orders.name, id)).collect();
        self.next += count;
        for outcome in self.runtime.block_on(publish_all(&self.producer, records)) {
            outcome.expect("an input is acknowledged");
        }
    }

    /// Starts a child that meets this fate.
    pub(super) fn start(&self, fate: Option<(usize, usize, Signal)>, instance: Option<&str>) -> Child {
        Orders { fate, instance: instance.map(str::to_owned), ..self.orders.clone() }.start()
    }

    /// Lets children finish all there is, and end.
    pub(super) fn finish(&self, mut children: Vec<Child>) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !self.is_done() {
            for child in &mut children {
                assert_eq!(child.try_wait().unwrap().map(|status| status.to_string()), None, "a child ended");
            }
            assert!(
                Instant::now() < deadline,
                "{}: not done in time: {:?}",
                self.orders.name,
                self.figures()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        for mut child in children {
            drop(child.stdin.take());
            let deadline = Instant::now() + Duration::from_secs(15);
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    assert!(status.success(), "{status}");
                    break;
                }
                assert!(Instant::now() < deadline, "a child does not end");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Effects, dead letters that the inbox knows, and rows that wait.
    fn figures(&self) -> (i64, i64, i64) {
        let asked = self.runtime.block_on(async {
            let query = format!(
                "SELECT (SELECT count(*) FROM ({}) effects), (SELECT count(*) FROM inbox_dead),
                        (SELECT count(*) FROM outbox_pending)",
                self.kind.effects()
            );
            let query = sqlx::AssertSqlSafe(query);
            match self.kind {
                Kind::Sqlite => {
                    let file = self.folder.path().join("stores/crash.db");
                    let options = sqlx::sqlite::SqliteConnectOptions::new()
                        .filename(file)
                        .busy_timeout(Duration::from_secs(10));
                    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
                    sqlx::query_as::<_, (i64, i64, i64)>(query).fetch_one(&mut connection).await
                }
                Kind::Postgres | Kind::Optimistic => {
                    let mut connection = self.postgres().await?;
                    sqlx::query_as::<_, (i64, i64, i64)>(query).fetch_one(&mut connection).await
                }
            }
        });
        asked.unwrap_or((-1, -1, -1))
    }

    async fn postgres(&self) -> Result<sqlx::PgConnection, sqlx::Error> {
        let mut connection = sqlx::PgConnection::connect(&self.orders.store).await?;
        sqlx::query("SET search_path = crash").execute(&mut connection).await?;
        Ok(connection)
    }

    pub(super) fn effects(&self) -> i64 {
        self.figures().0
    }

    fn is_done(&self) -> bool {
        let poison = (0..self.next).filter(|id| super::child::is_poison(*id)).count();
        let alive = self.next - poison as u64;
        let (effects, dead, pending) = self.figures();
        effects >= i64::try_from(alive).unwrap() && dead >= i64::try_from(poison).unwrap() && pending == 0
    }

    /// Looks at everything, and fails with all that is wrong.
    pub(super) fn check(&self) -> Figures {
        let name = &self.orders.name;
        let brokers = brokers();
        let inputs = check::records(&brokers, &format!("{name}.in"));
        let partitions = i32::try_from(inputs.len()).unwrap();
        let (effects, unpublished) = self.runtime.block_on(self.stored()).unwrap();
        let found = Found {
            inputs,
            committed: check::committed(&brokers, name, &format!("{name}.in"), partitions),
            effects,
            announced: check::records(&brokers, &format!("{name}.out")),
            dead: check::records(&brokers, &format!("{name}.in.DLT"))
                .into_values()
                .flatten()
                .map(|(_, id)| id)
                .collect(),
            unpublished,
        };
        match check::check(&found) {
            Ok(figures) => figures,
            Err(wrong) => {
                panic!("{name} ({:?}): {} things are wrong:\n{}", self.kind, wrong.len(), wrong.join("\n"))
            }
        }
    }

    async fn stored(&self) -> Result<(Vec<(String, u64)>, i64), sqlx::Error> {
        let (effects, pending) = (self.kind.effects(), "SELECT count(*) FROM outbox_pending");
        let (rows, pending): (Vec<(String, String)>, i64) = match self.kind {
            Kind::Sqlite => {
                let file = self.folder.path().join("stores/crash.db");
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
                let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
                let rows = sqlx::query_as(effects).fetch_all(&mut connection).await?;
                (rows, sqlx::query_scalar(pending).fetch_one(&mut connection).await?)
            }
            Kind::Postgres | Kind::Optimistic => {
                let mut connection = self.postgres().await?;
                let rows = sqlx::query_as(effects).fetch_all(&mut connection).await?;
                (rows, sqlx::query_scalar(pending).fetch_one(&mut connection).await?)
            }
        };
        let effects = rows.into_iter().map(|(key, id)| (key, id.parse().expect("a number"))).collect();
        Ok((effects, pending))
    }
}

fn input(name: &str, id: u64) -> Outgoing {
    let key = if is_alone(id) { format!("own-{id}") } else { format!("key-{}", id % KEYS) };
    Outgoing {
        topic: format!("{name}.in"),
        partition: None,
        key: Some(key.into_bytes()),
        value: Some(b"{}".to_vec()),
        headers: vec![
            Header::new("eventId", id.to_string().into_bytes()),
            Header::new("eventType", "Happened"),
        ],
        timestamp: None,
    }
}
