//! `kafkaflow outbox verify`

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::time::Duration;

use super::Format;
use crate::cli::connect::{ConnectArgs, reach};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::offsets;
use crate::cli::planning::cluster_failed;
use crate::cli::progress::Reading;
use crate::cli::store::{Attached, StoreArgs, store_failed};
use crate::cluster::port::{ClusterError, OffsetSpec, Scope, Topics};
use crate::connection::ConnectionConfig;
use crate::kafka::admin::Admin;
use crate::kafka::data::{Read, Reader};
use crate::runtime::verify::{Sight, Verification};
use crate::store::outbox::{self, Kept, State};
use crate::text::quoted;
use crate::topology::TopicName;
use crate::unit::{UnixMillis, grouped};

/// Rows that are read at a time.
const ROWS: u32 = 5000;
/// Records whose rows are looked up at a time.
const RECORDS: usize = 1000;
/// How far clocks of brokers and databases may be apart.
const CLOCKS: Duration = Duration::from_secs(60);
/// How long one look for a record takes, and how long a broker may wait before it says that there is none.
const LOOK: Duration = Duration::from_millis(100);
const IDLE: Duration = Duration::from_millis(20);
/// Rows that are listed.
const MOST_SAID: usize = 20;

/// Hold the outbox against its topics: is everything there that was published, and in order?
///
/// Covers the rows that are kept, a day's by default. Exit code 3 when a row is lost or its record stands behind a
/// later one of its key. A record that is there twice is counted and no error: consumers know it by its `eventId`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    connect: ConnectArgs,
}

/// What came out for one service.
#[derive(Default, serde::Serialize)]
struct Report {
    service: String,
    rows: usize,
    published: usize,
    pending: usize,
    dead: usize,
    repeated: usize,
    /// Published, but their topics no longer keep them.
    expired: usize,
    lost: Vec<Wrong>,
    reordered: Vec<Wrong>,
    /// How many more of each are not listed.
    more: usize,
}

#[derive(serde::Serialize)]
struct Wrong {
    row: i64,
    event: String,
    topic: String,
    key: String,
    why: String,
}

impl Report {
    fn is_fine(&self) -> bool {
        self.lost.is_empty() && self.reordered.is_empty()
    }
}

pub(super) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let attached = args.store.attach().await?;
    let connection = args.connect.config()?;
    let admin = reach(connection.clone()).await?;
    let mut reports = Vec::new();
    for one in attached {
        reports.push(verify(&one, &admin, &connection).await?);
    }
    match args.format {
        Format::Table => {
            for report in &reports {
                shown(report, out)?;
            }
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &reports).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(if reports.iter().all(Report::is_fine) { Exit::Fine } else { Exit::Pending })
}

fn shown(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let verdict = if report.is_fine() { "fine" } else { "NOT fine" };
    writeln!(out, "{}: {verdict}", report.service)?;
    for (count, what) in [
        (report.rows, "rows are kept"),
        (report.published, "published"),
        (report.pending, "pending"),
        (report.dead, "dead"),
        (report.repeated, "records there once more (consumers know them by their eventId)"),
        (report.expired, "published, but their topics no longer keep them"),
    ] {
        if count > 0 || what == "rows are kept" {
            writeln!(out, "  {:>9} {what}", grouped(count))?;
        }
    }
    for (rows, what) in [(&report.lost, "lost"), (&report.reordered, "out of order")] {
        for row in rows {
            writeln!(
                out,
                "  {what}: row {} {} of key {} in {}: {}",
                row.row, row.event, row.key, row.topic, row.why
            )?;
        }
    }
    if report.more > 0 {
        writeln!(out, "  and {} more", grouped(report.more))?;
    }
    Ok(())
}

/// A partition's part that is read.
struct Stretch {
    partition: i32,
    low: i64,
    from: i64,
    to: i64,
}

async fn verify(one: &Attached, admin: &Admin, connection: &ConnectionConfig) -> Result<Report, CliError> {
    let failed = |error| store_failed(&one.service, &error);
    let mut report = Report { service: one.service.clone(), ..Report::default() };
    // The oldest row of each topic.
    let mut topics: BTreeMap<String, UnixMillis> = BTreeMap::new();
    let (mut first, mut last) = (i64::MAX, i64::MIN);
    let mut after = 0;
    loop {
        let rows = outbox::kept(&mut one.store.reading(), after, ROWS).await.map_err(failed)?;
        let Some(newest) = rows.last() else { break };
        after = newest.seq;
        for row in rows {
            first = first.min(row.seq);
            last = last.max(row.seq);
            report.rows += 1;
            let oldest = topics.entry(row.topic).or_insert(row.created_at);
            *oldest = (*oldest).min(row.created_at);
        }
    }
    let mut seen = Verification::of(first.min(last), last);
    let mut stretches: BTreeMap<String, Vec<Stretch>> = BTreeMap::new();
    for (topic, oldest) in topics {
        let found = stretches_of(admin, &topic, oldest).await?;
        stretches.insert(topic, found);
    }
    let progress = Reading::of_records();
    let all: i64 = stretches.values().flatten().map(|one| one.to - one.from).sum();
    progress.set_length(u64::try_from(all).unwrap_or(0));
    for (topic, stretches) in &stretches {
        for stretch in stretches.iter().filter(|one| one.from < one.to) {
            read(one, connection, topic, stretch, &mut seen, &mut report, &progress).await?;
        }
    }
    progress.finish();
    let mut after = first.saturating_sub(1);
    while after < last {
        let rows = outbox::kept(&mut one.store.reading(), after, ROWS).await.map_err(failed)?;
        let Some(newest) = rows.last() else { break };
        after = newest.seq;
        for row in rows.into_iter().filter(|row| row.seq <= last) {
            judge(row, &seen, &stretches, &mut report);
        }
    }
    Ok(report)
}

/// What became of a row, once all topics were read.
fn judge(row: Kept, seen: &Verification, stretches: &BTreeMap<String, Vec<Stretch>>, report: &mut Report) {
    let (partition, offset) = match row.state {
        State::Pending => {
            report.pending += 1;
            return;
        }
        State::Dead { .. } => {
            report.dead += 1;
            return;
        }
        State::Published { partition, offset } => (partition, offset),
    };
    report.published += 1;
    if seen.has(row.seq) {
        return;
    }
    let stretch = stretches.get(&row.topic).and_then(|all| all.iter().find(|one| one.partition == partition));
    let why = match stretch {
        None => format!("there is no partition {partition} of it"),
        Some(stretch) if offset < stretch.low => {
            report.expired += 1;
            return;
        }
        // Published while this was read.
        Some(stretch) if offset >= stretch.to => return,
        Some(_) => format!("its record should be at {partition}@{offset} and is not"),
    };
    if report.lost.len() == MOST_SAID {
        report.more += 1;
        return;
    }
    report.lost.push(Wrong { row: row.seq, event: row.id, topic: row.topic, key: row.key, why });
}

async fn stretches_of(admin: &Admin, topic: &str, oldest: UnixMillis) -> Result<Vec<Stretch>, CliError> {
    let unread = |error: ClusterError| cluster_failed(&format!("cannot read {}", quoted(topic)), error);
    let Ok(name) = TopicName::parse(topic) else { return Ok(Vec::new()) };
    let listing = admin.list(Scope::Only(std::slice::from_ref(&name))).await.map_err(unread)?;
    let Some(found) = listing.topics.first() else { return Ok(Vec::new()) };
    let partitions: Vec<i32> =
        (0..found.partitions.len()).filter_map(|partition| i32::try_from(partition).ok()).collect();
    let ask = async |spec| offsets::of_partitions(admin, &name, &partitions, spec).await.map_err(unread);
    let low = ask(OffsetSpec::Earliest).await?;
    let since = ask(OffsetSpec::At(oldest.before(CLOCKS).0)).await?;
    let end = ask(OffsetSpec::Latest).await?;
    let mut stretches = Vec::new();
    for (at, partition) in partitions.iter().enumerate() {
        let (Some(Some(low)), Some(Some(to))) = (low.get(at).copied(), end.get(at).copied()) else {
            return Err(CliError::failed(format!("{}/{partition} has no leader", quoted(topic)))
                .help("try again when its brokers are back"));
        };
        let from = since.get(at).copied().flatten().unwrap_or(to);
        stretches.push(Stretch { partition: *partition, low, from: from.max(low), to });
    }
    Ok(stretches)
}

async fn read(
    one: &Attached,
    connection: &ConnectionConfig,
    topic: &str,
    stretch: &Stretch,
    seen: &mut Verification,
    report: &mut Report,
    progress: &Reading,
) -> Result<(), CliError> {
    let mut reader = match Reader::open(connection, IDLE) {
        Ok(reader) => reader,
        Err(error) => return Err(unreadable(topic, error, connection).await),
    };
    if let Err(error) = reader.turn_to(topic, &[(stretch.partition, stretch.from)]) {
        return Err(unreadable(topic, error, connection).await);
    }
    let mut batch: VecDeque<String> = VecDeque::new();
    let mut next = stretch.from;
    while next < stretch.to {
        match reader.next(LOOK) {
            Ok(Read::Record(record)) => {
                next = record.offset() + 1;
                progress.advance(1);
                if record.offset() < stretch.to
                    && let Some(id) = record.header("id").and_then(|id| std::str::from_utf8(id).ok())
                {
                    batch.push_back(id.to_owned());
                }
            }
            Ok(Read::End(_)) => next = stretch.to,
            Ok(Read::Nothing) => {}
            Err(error) => return Err(unreadable(topic, error, connection).await),
        }
        if batch.len() >= RECORDS || next >= stretch.to {
            take(one, topic, &mut batch, seen, report).await?;
        }
    }
    Ok(())
}

async fn take(
    one: &Attached,
    topic: &str,
    batch: &mut VecDeque<String>,
    seen: &mut Verification,
    report: &mut Report,
) -> Result<(), CliError> {
    let ids: Vec<String> = batch.drain(..).collect();
    let rows = outbox::find(&mut one.store.reading(), &ids).await;
    let rows = rows.map_err(|error| store_failed(&one.service, &error))?;
    for id in ids {
        // What is not of this outbox, or of a day that is no longer kept, is nobody's business here.
        let Some(row) = rows.get(&id).filter(|row| row.topic == topic) else { continue };
        match seen.see(topic, &row.key, row.seq) {
            Sight::First => {}
            Sight::Repeat => report.repeated += 1,
            Sight::Reordered { .. } if report.reordered.len() == MOST_SAID => report.more += 1,
            Sight::Reordered { after } => report.reordered.push(Wrong {
                row: row.seq,
                event: id,
                topic: topic.to_owned(),
                key: row.key.clone(),
                why: format!("it stands behind row {after}"),
            }),
        }
    }
    Ok(())
}

async fn unreadable(topic: &str, error: crate::kafka::DataError, connection: &ConnectionConfig) -> CliError {
    let explained = error.explained(connection).await;
    let failed = CliError::failed(format!("cannot read {}", quoted(topic))).because(&explained);
    match explained.help() {
        Some(help) => failed.help(help),
        None => failed,
    }
}
