//! Taking events upon a transaction: which of them are new.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{PgConnection, Row, SqliteConnection};

use super::{Death, make_days, set_applied};
use crate::store::fence::{self, Owned};
use crate::store::open::Pool;
use crate::store::writes::Parts;
use crate::store::{Connection, StoreError, Tx, json};
use crate::unit::UnixMillis;

/// An event that a group may have had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'r> {
    /// As [`super::id_of`] has it.
    pub id: &'r str,
    /// Where the record stands: topic, partition and offset.
    pub place: (&'r str, i32, i64),
}

impl Candidate<'_> {
    /// Whether it stands at `topic/partition/offset`.
    fn stands_at(&self, place: &str) -> bool {
        let (topic, partition, offset) = self.place;
        place == format!("{topic}/{partition}/{offset}")
    }
}

/// What the inbox knows of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nothing, or that it died elsewhere: it is to be handled, and the transaction has it noted.
    New,
    /// It has had its effect.
    Known,
    /// It was given up, at this very place: it is to be dead-lettered, and not handled.
    Dead(Box<Death>),
}

/// Takes these events' effects upon this transaction. Of an event that is there twice the first is new.
///
/// The transaction must hold the fence of the partitions that the events come from before it commits; those of `fences`
/// are held together with it, as [`fence::hold`] does, unless there are no events.
///
/// An optimistic transaction takes all events for new and all fences for its own, and asks when it is committed.
pub async fn claim(
    tx: &mut Tx,
    group: &str,
    fences: &[(Owned, i64)],
    events: &[Candidate<'_>],
    now: UnixMillis,
) -> Result<Vec<Claim>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let day = now.day();
    let ids: Vec<&str> = events.iter().map(|event| event.id).collect();
    if !tx.store()?.has_inbox_for(day) {
        let store = tx.store()?.clone();
        make_days(&store, day).await?;
    }
    if tx.is_optimistic() {
        let (group, fences) = (group.to_owned(), fences.to_vec());
        tx.note(Note { group, fences, ids: ids.into_iter().map(str::to_owned).collect(), day })?;
        return Ok(vec![Claim::New; events.len()]);
    }
    if matches!(tx.store()?.pool, Pool::Sqlite { .. }) && !fences.is_empty() {
        fence::hold(tx, group, fences).await?;
    }
    let found = match tx.connection().await? {
        Connection::Postgres(connection) => {
            let fences = fence::sorted(fences);
            let (held, found) = claim_in_postgres(connection, group, &fences, &ids, day).await?;
            if held != fences.len() {
                return Err(fence::refusal(tx, group, &fences).await?);
            }
            found
        }
        Connection::Sqlite(connection) => claim_in_sqlite(connection, group, &ids, day).await?,
    };
    let Some(answers) = found else { return Ok(vec![Claim::New; events.len()]) };
    let (claims, revived) = judge(events, answers);
    set_applied(tx, group, &revived, true).await?;
    Ok(claims)
}

/// What [`claim`] would say of these events; nothing is noted. One statement, so a glance at the store does.
pub async fn look(tx: &mut Tx, group: &str, events: &[Candidate<'_>]) -> Result<Vec<Claim>, StoreError> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = events.iter().map(|event| event.id).collect();
    let answers = match tx.connection().await? {
        Connection::Postgres(connection) => left(&ids, &known_in_postgres(connection, group, &ids).await?)?,
        Connection::Sqlite(connection) => {
            let rows = known_in_sqlite(connection, group, &json(&ids)?).await?;
            left(&ids, &rows)?
        }
    };
    Ok(judge(events, answers).0)
}

/// What the inbox knows of some ids: those that were handled alone, those that are given up with their deaths.
///
/// `= ANY` may be planned as a reading of all that a group has, and is, as long as a day's part has no statistics; so
/// each id is looked up by itself.
async fn known_in_postgres(
    connection: &mut PgConnection,
    group: &str,
    ids: &[&str],
) -> Result<Vec<PgRow>, StoreError> {
    let sql = "SELECT g.event_id, known.place, known.class, known.reason
               FROM unnest($2::text[]) AS g (event_id) CROSS JOIN LATERAL (
                   (SELECT NULL AS place, NULL AS class, NULL AS reason FROM inbox i
                    WHERE i.consumer_group = $1 AND i.event_id = g.event_id LIMIT 1)
                   UNION ALL
                   (SELECT CASE WHEN d.applied THEN NULL ELSE d.place END, d.class, d.reason FROM inbox_dead d
                    WHERE d.consumer_group = $1 AND d.event_id = g.event_id LIMIT 1)
               ) AS known";
    Ok(sqlx::query(sql).bind(group).bind(ids).fetch_all(connection).await?)
}

/// As [`known_in_postgres`].
async fn known_in_sqlite(
    connection: &mut SqliteConnection,
    group: &str,
    ids: &str,
) -> Result<Vec<SqliteRow>, StoreError> {
    let sql = "SELECT event_id, NULL, NULL, NULL FROM inbox
               WHERE consumer_group = $1 AND event_id IN (SELECT value FROM json_each($2))
               UNION ALL
               SELECT event_id, CASE WHEN applied THEN NULL ELSE place END, class, reason FROM inbox_dead
               WHERE consumer_group = $1 AND event_id IN (SELECT value FROM json_each($2))";
    Ok(sqlx::query(sql).bind(group).bind(ids).fetch_all(connection).await?)
}

/// Those of the ids that are not handled, by what is known of them.
fn left<'r, R>(ids: &[&str], known: &'r [R]) -> Result<Answers, StoreError>
where
    R: Row,
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    let mut answers: Answers = ids.iter().map(|id| ((*id).to_owned(), None)).collect();
    for row in known {
        let id: String = row.try_get(0)?;
        match row.try_get::<Option<String>, _>(1)? {
            None => {
                answers.remove(&id);
            }
            Some(place) => {
                answers.insert(id, Some(Death { place, class: row.try_get(2)?, reason: row.try_get(3)? }));
            }
        }
    }
    Ok(answers)
}

/// What is to be done with each event, and the ids that come back from the dead. Of an event that is there twice the
/// first is new.
fn judge<'r>(events: &[Candidate<'r>], mut answers: Answers) -> (Vec<Claim>, Vec<&'r str>) {
    let mut revived = Vec::new();
    let claims = events
        .iter()
        .map(|event| match answers.get(event.id) {
            None => Claim::Known,
            Some(Some(death)) if event.stands_at(&death.place) => Claim::Dead(Box::new(death.clone())),
            Some(found) => {
                if found.is_some() {
                    revived.push(event.id);
                }
                answers.remove(event.id);
                Claim::New
            }
        })
        .collect();
    (claims, revived)
}

/// Ids that are noted now, and those that are given up.
type Answers = HashMap<String, Option<Death>>;

/// What is to be noted on PostgreSQL: events, and how far their partitions are read.
#[derive(Debug)]
pub(in crate::store) struct Note {
    group: String,
    fences: Vec<(Owned, i64)>,
    ids: Vec<String>,
    day: i32,
}

impl Note {
    /// Adds to a statement that all of the fences are held and all of the events noted, or it is refused.
    pub(in crate::store) fn check_in(self, parts: &mut Parts) -> Result<(), StoreError> {
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        add_note(parts, &self.group, &fence::sorted(&self.fences), &ids, self.day)?;
        parts.expect_first([("held", self.fences.len()), ("fresh", ids.len())])
    }
}

/// Adds three queries: `held` has a row for each fence that is held, `fresh` each id that is noted now, and `dead` what is known
/// of those that were given up. The parameter that has the ids.
fn add_note(
    parts: &mut Parts,
    group: &str,
    fences: &[&(Owned, i64)],
    ids: &[&str],
    day: i32,
) -> Result<String, StoreError> {
    let (group, ids) = (parts.bind(group)?, parts.bind(ids)?);
    let update = fence::update(parts, &group, fences)?;
    parts.query("held", &update);
    parts.query(
        "dead",
        &format!(
            "SELECT d.* FROM unnest({ids}::text[]) AS g (event_id) CROSS JOIN LATERAL (
                 SELECT d.event_id, d.place, d.class, d.reason, d.applied FROM inbox_dead d
                 WHERE d.consumer_group = {group} AND d.event_id = g.event_id LIMIT 1
             ) AS d"
        ),
    );
    let day = parts.bind(day)?;
    parts.query(
        "fresh",
        &format!(
            "INSERT INTO inbox (day, consumer_group, event_id)
             SELECT {day}, {group}, g.event_id FROM unnest({ids}::text[]) AS g (event_id)
             -- A scalar is looked up by the index, row by row; an anti-join may be planned as a scan of the whole inbox.
             -- On the same day, the index that is inserted into finds it.
             WHERE (SELECT true FROM inbox i
                    WHERE i.consumer_group = {group} AND i.event_id = g.event_id AND i.day <> {day} LIMIT 1) IS NULL
               AND NOT EXISTS (SELECT 1 FROM dead d WHERE d.event_id = g.event_id)
             ON CONFLICT DO NOTHING
             RETURNING event_id"
        ),
    );
    Ok(ids)
}

/// How many fences are held, and what is known of the ids; `None`: all are noted now, as nearly always, and not one travels
/// back.
async fn claim_in_postgres(
    connection: &mut PgConnection,
    group: &str,
    fences: &[&(Owned, i64)],
    ids: &[&str],
    day: i32,
) -> Result<(usize, Option<Answers>), StoreError> {
    let mut parts = Parts::default();
    let all = add_note(&mut parts, group, fences, ids, day)?;
    let select = format!(
        "SELECT CASE WHEN count(*) < cardinality({all}) THEN coalesce(array_agg(event_id::text), '{{}}') END,
                NULL, NULL, NULL, NULL, (SELECT count(*) FROM held)
         FROM fresh
         UNION ALL SELECT NULL, event_id, place, class, reason, NULL FROM dead WHERE NOT applied"
    );
    let rows = parts.fetch(&select, connection).await?;
    let (mut held, mut fresh, mut dead) = (0, None, Vec::new());
    for row in &rows {
        match row.try_get::<Option<String>, _>(1)? {
            None => {
                fresh = row.try_get::<Option<Vec<String>>, _>(0)?;
                held = usize::try_from(row.try_get::<i64, _>(5)?).unwrap_or(0);
            }
            Some(id) => {
                let death = Death { place: row.try_get(2)?, class: row.try_get(3)?, reason: row.try_get(4)? };
                dead.push((id, Some(death)));
            }
        }
    }
    let answers = fresh.map(|fresh| fresh.into_iter().map(|id| (id, None)).chain(dead).collect());
    Ok((held, answers))
}

/// The same on SQLite, where nobody else writes meanwhile: so it is asked first what is known, which is seldom much.
async fn claim_in_sqlite(
    connection: &mut SqliteConnection,
    group: &str,
    ids: &[&str],
    day: i32,
) -> Result<Option<Answers>, StoreError> {
    let given = json(&ids)?;
    let known = known_in_sqlite(connection, group, &given).await?;
    let noted = sqlx::query(
        "INSERT INTO inbox (day, consumer_group, event_id)
         SELECT $3, $1, g.value FROM json_each($2) g
         WHERE NOT EXISTS (SELECT 1 FROM inbox_dead d WHERE d.consumer_group = $1 AND d.event_id = g.value)
         ON CONFLICT DO NOTHING",
    )
    .bind(group)
    .bind(&given)
    .bind(day)
    .execute(connection)
    .await?
    .rows_affected();
    if noted == ids.len() as u64 {
        return Ok(None);
    }
    left(ids, &known).map(Some)
}
