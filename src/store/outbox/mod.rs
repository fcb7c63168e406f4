//! The outbox: what a transaction announces, published later by the relay.
//!
//! Order holds for each key: `seq` is drawn while the key is held, and rows are published in the order of `seq`. A row
//! is found by its state, so one whose transaction commits late is not skipped.

mod fresh;
mod housekeeping;
mod kept;
mod listen;
mod pending;

pub(crate) use fresh::Fresh;
pub use housekeeping::{
    Backlog, DeadRow, Status, backlog, dead, drop_dead, prune, retry_dead, status, waiting_keys,
};
pub use kept::{Found, Kept, State, find, kept};
pub use listen::{Listener, listen};
pub(crate) use pending::settle_leased;
pub use pending::{Dead, Followers, Pending, Published, Skip, pending, settle};

use sqlx::PgConnection;

use super::writes::Parts;
use super::{Connection, StoreError, Tx, Writes};
use crate::messaging::key_hash;
use crate::unit::UnixMillis;

/// Into how many buckets keys fall; relays share these among them.
pub const BUCKETS: u32 = 64;
/// Keys that are locked one by one; more are locked as one, since locks take room in the server's memory.
const MOST_LOCKS: usize = 64;

/// An event to be published. The names of the columns are those of Debezium's EventRouter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's id; unique for ever.
    pub id: String,
    pub aggregate_type: String,
    /// The record's key.
    pub aggregate_id: String,
    pub event_type: String,
    /// The record's value, byte for byte.
    pub payload: String,
    pub topic: String,
    pub traceparent: Option<String>,
}

impl Event {
    /// Its row, without a number yet.
    fn unnumbered(&self) -> Pending {
        Pending {
            seq: 0,
            id: self.id.clone(),
            key: self.aggregate_id.clone(),
            event_type: self.event_type.clone(),
            payload: self.payload.clone(),
            topic: self.topic.clone(),
            traceparent: self.traceparent.clone(),
        }
    }
}

/// How the rows of a key keep their order when two transactions write some at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrder {
    /// The caller holds the key already: by a lock on the aggregate's row, by the partition's fence, or because the
    /// key is new.
    Held,
    /// As [`KeyOrder::Held`], and no row of these keys waits: they are new, or what was announced of them was published,
    /// since this answers to it. A relay of the same process is handed such rows and need not read them.
    NoneWaits,
    /// The keys are locked here until the transaction ends.
    Lock,
}

impl KeyOrder {
    /// Of keys that the caller holds; `none_waits`: of none of them a row waits.
    pub(crate) fn of_held(none_waits: bool) -> Self {
        if none_waits { Self::NoneWaits } else { Self::Held }
    }
}

/// The bucket of a key.
pub(super) fn bucket_of(hash: u32) -> i16 {
    i16::try_from(hash % BUCKETS).unwrap_or(0)
}

/// Writes events in this order. None is published before the transaction commits.
pub async fn write(
    tx: &mut Tx,
    events: &[Event],
    order: KeyOrder,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let mut writes = Writes::of(tx)?;
    add(&mut writes, events, order, now)?;
    if order == KeyOrder::Lock
        && !events.is_empty()
        && let Connection::Postgres(connection) = tx.connection().await?
    {
        lock(connection, events).await?;
    }
    writes.run(tx).await
}

/// As [`write()`], together with other writes; locks nothing.
pub(crate) fn add(
    writes: &mut Writes,
    events: &[Event],
    order: KeyOrder,
    now: UnixMillis,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    for event in events {
        let texts = [&event.id, &event.aggregate_id, &event.event_type, &event.payload, &event.topic];
        if texts.iter().any(|text| text.contains('\0')) {
            return Err(StoreError::Sql(format!("event {:?} holds a NUL character", event.id)));
        }
    }
    let hashes: Vec<u32> = events.iter().map(|event| key_hash(event.aggregate_id.as_bytes())).collect();
    match writes {
        Writes::Postgres(parts) => {
            parts.announced = Some(match order {
                KeyOrder::NoneWaits => Announced::Alone(events.iter().map(Event::unnumbered).collect()),
                KeyOrder::Held | KeyOrder::Lock => Announced::BehindOthers,
            });
            in_postgres(parts, events, &hashes, now)
        }
        Writes::Sqlite(_) => in_sqlite(writes, events, &hashes, now),
    }
}

/// One writer at a time: the rows' numbers are consecutive.
fn in_sqlite(
    writes: &mut Writes,
    events: &[Event],
    hashes: &[u32],
    now: UnixMillis,
) -> Result<(), StoreError> {
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            (
                &event.id,
                &event.aggregate_type,
                &event.aggregate_id,
                &event.event_type,
                &event.payload,
                &event.topic,
                &event.traceparent,
                now.0,
            )
        })
        .collect();
    writes.rows(&rows, |each| {
        format!(
            "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, topic, traceparent, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
                    value ->> 7
             FROM {each} ORDER BY key"
        )
    })?;
    let after: Vec<_> = events
        .iter()
        .zip(hashes)
        .enumerate()
        .map(|(at, (event, hash))| (events.len() - 1 - at, &event.topic, hash, bucket_of(*hash)))
        .collect();
    writes.rows(&after, |each| {
        format!(
            "INSERT INTO outbox_pending (seq, topic, hash, bucket)
             SELECT (SELECT max(seq) FROM outbox) - (value ->> 0), value ->> 1, value ->> 2, value ->> 3 FROM {each}"
        )
    })
}

/// What a statement announces.
#[derive(Debug)]
pub(super) enum Announced {
    /// Rows before which nothing waits, in their order, without their numbers.
    Alone(Vec<Pending>),
    BehindOthers,
}

/// Numbers are drawn first, so that both tables' rows are written without looking for each other.
fn in_postgres(
    parts: &mut Parts,
    events: &[Event],
    hashes: &[u32],
    now: UnixMillis,
) -> Result<(), StoreError> {
    let column = |of: fn(&Event) -> &str| events.iter().map(of).collect::<Vec<&str>>();
    let texts = [
        column(|event| &event.id),
        column(|event| &event.aggregate_type),
        column(|event| &event.aggregate_id),
        column(|event| &event.event_type),
        column(|event| &event.payload),
        column(|event| &event.topic),
    ];
    let traces: Vec<Option<&str>> = events.iter().map(|event| event.traceparent.as_deref()).collect();
    let mut columns = Vec::new();
    for texts in texts {
        columns.push(format!("{}::text[]", parts.bind(texts)?));
    }
    columns.push(format!("{}::text[]", parts.bind(traces)?));
    let signed: Vec<i32> = hashes.iter().map(|hash| hash.cast_signed()).collect();
    columns.push(format!("{}::int[]", parts.bind(signed)?));
    let buckets: Vec<i16> = hashes.iter().map(|hash| bucket_of(*hash)).collect();
    columns.push(format!("{}::smallint[]", parts.bind(buckets)?));
    let now = parts.bind(now.0)?;
    let columns = columns.join(", ");
    parts.query(
        "announced",
        &format!(
            "SELECT nextval('outbox_seq_seq') AS seq, g.* FROM unnest({columns})
             AS g (id, aggregatetype, aggregateid, type, payload, topic, traceparent, hash, bucket)"
        ),
    );
    parts.query(
        "waiting",
        "INSERT INTO outbox_pending (seq, topic, hash, bucket) SELECT seq, topic, hash, bucket FROM announced",
    );
    parts.query(
        "kept",
        &format!(
            "INSERT INTO outbox (seq, id, aggregatetype, aggregateid, type, payload, topic, traceparent, created_at)
             OVERRIDING SYSTEM VALUE
             SELECT seq, id, aggregatetype, aggregateid, type, payload, topic, traceparent, {now} FROM announced"
        ),
    );
    Ok(())
}

/// Tells relays of other processes that listen; once in a transaction, after [`write()`]. PostgreSQL only.
pub async fn notify(tx: &mut Tx) -> Result<(), StoreError> {
    if let Connection::Postgres(connection) = tx.connection().await? {
        sqlx::query("SELECT pg_notify('kafkaflow_outbox_' || hashtext(current_schema()), '')")
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Locks the keys before `seq` is drawn; in one order, so that no two transactions wait for each other.
async fn lock(connection: &mut PgConnection, events: &[Event]) -> Result<(), StoreError> {
    let mut keys: Vec<i32> =
        events.iter().map(|event| key_hash(event.aggregate_id.as_bytes()).cast_signed()).collect();
    keys.sort_unstable();
    keys.dedup();
    // -1 stands for all keys: shared by whoever locks some, alone for whoever locks many. The first number is the
    // schema's own, so that services in one database do not meet.
    let few = keys.len() <= MOST_LOCKS;
    let all = if few {
        "SELECT pg_advisory_xact_lock_shared(hashtext(current_schema()), -1)"
    } else {
        "SELECT pg_advisory_xact_lock(hashtext(current_schema()), -1)"
    };
    sqlx::query(all).execute(&mut *connection).await?;
    if few {
        sqlx::query(
            "SELECT pg_advisory_xact_lock(hashtext(current_schema()), k)
             FROM (SELECT k FROM unnest($1::int[]) AS u (k) ORDER BY k) o",
        )
        .bind(keys)
        .execute(connection)
        .await?;
    }
    Ok(())
}
