//! `kafkaflow validate-event --from-topic`

use std::io::{self, Write};
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;

use super::connect;
use super::error::CliError;
use super::event_report::Report;
use super::exit::Exit;
use super::offsets;
use super::planning::cluster_failed;
use super::progress::Reading;
use crate::cluster::port::{ClusterError, OffsetSpec, Scope, Topics};
use crate::connection::ConnectionConfig;
use crate::event;
use crate::kafka::data::{DataError, Explained, Read, Reader};
use crate::messaging::Record;
use crate::schema::Judge;
use crate::schema::reader::{Totals, finding};
use crate::text::quoted;
use crate::topology::TopicName;
use crate::unit::UnixMillis;

/// How long one look for a record takes before the keyboard is asked.
const LOOK: Duration = Duration::from_millis(100);
/// How long a broker may wait for records before it answers that there are none.
const IDLE: Duration = Duration::from_millis(20);

/// Which records of a topic are judged.
#[derive(clap::Args)]
pub(crate) struct AuditArgs {
    /// Judge the records of this topic; joins no group and commits nothing
    #[arg(long, value_name = "TOPIC", conflicts_with = "topic")]
    pub(crate) from_topic: Option<String>,
    /// Where to begin in each partition: `earliest`, `latest`, a time ago (`-1h`) or an offset
    #[arg(long, value_name = "WHERE", default_value = "earliest", value_parser = Begin::parse, allow_hyphen_values = true, requires = "from_topic")]
    from: Begin,
    /// End after so many records
    #[arg(long, value_name = "N", requires = "from_topic")]
    count: Option<u64>,
    /// Wait for new records at the end, until Ctrl-C
    #[arg(long, requires = "from_topic")]
    follow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    Earliest,
    Latest,
    Ago(Duration),
    Offset(i64),
}

impl Begin {
    fn parse(text: &str) -> Result<Self, String> {
        let forms = "write `earliest`, `latest`, a time ago like `-1h`, or an offset like `1234`";
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            _ => match text.strip_prefix('-') {
                Some(ago) => crate::unit::Duration::parse(ago)
                    .ok()
                    .and_then(|ago| u64::try_from(ago.as_millis()).ok())
                    .map(|millis| Self::Ago(Duration::from_millis(millis)))
                    .ok_or_else(|| forms.to_owned()),
                None => text
                    .parse()
                    .ok()
                    .filter(|offset| *offset >= 0)
                    .map(Self::Offset)
                    .ok_or_else(|| forms.to_owned()),
            },
        }
    }
}

/// What of a partition is read: from an offset up to another one, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    partition: i32,
    from: i64,
    to: i64,
}

pub(crate) fn run<W: Write>(
    topic: &str,
    args: &AuditArgs,
    connection: &ConnectionConfig,
    judge: &Judge,
    key: Option<&str>,
    report: Report<'_, W>,
) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed("the runtime does not start").because(error))?;
    if args.from == Begin::Latest && !args.follow {
        return Err(CliError::usage("`--from latest` leaves nothing to read")
            .help("add `--follow` to wait for new records, or begin earlier: `--from -1h`"));
    }
    let stretches = runtime.block_on(stretches(topic, args.from, connection.clone()))?;
    let mut audit = Audit {
        topic,
        judge,
        key,
        report,
        totals: Totals::default(),
        left: args.count.unwrap_or(u64::MAX),
        progress: Reading::of_records(),
    };
    if !args.follow {
        let all: i64 = stretches.iter().map(|stretch| stretch.to - stretch.from).sum();
        audit.progress.set_length(u64::try_from(all).unwrap_or(0).min(audit.left));
    }
    let reader = Reader::open(connection, IDLE);
    let mut reader = reader.map_err(|error| failed(topic, &runtime.block_on(error.explained(connection))))?;
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let mut stopped = || {
        runtime.block_on(async {
            // Lets the runtime see what signals came.
            tokio::task::yield_now().await;
            interrupted.as_mut().now_or_never().is_some()
        })
    };
    stopped();
    let read = audit.read(&mut reader, &stretches, args.follow, &mut stopped);
    audit.progress.finish();
    audit.report.counts(topic.to_owned(), audit.totals);
    match read {
        Ok(()) => {}
        Err(Failed::Writing(error)) => return Err(error.into()),
        Err(Failed::Reading(error)) => {
            let explained = runtime.block_on(error.explained(connection));
            audit.report.unread(&failed(topic, &explained));
        }
    }
    Ok(audit.report.end("record")?)
}

struct Audit<'a, 'o, W> {
    topic: &'a str,
    judge: &'a Judge,
    key: Option<&'a str>,
    report: Report<'o, W>,
    totals: Totals,
    /// Records that are still wanted.
    left: u64,
    progress: Reading,
}

impl<W: Write> Audit<'_, '_, W> {
    /// One partition after the other, so that the report is the same every time; then, if new records are
    /// wanted, all of them as they come.
    fn read(
        &mut self,
        reader: &mut Reader,
        stretches: &[Stretch],
        follow: bool,
        stopped: &mut dyn FnMut() -> bool,
    ) -> Result<(), Failed> {
        for stretch in stretches.iter().filter(|stretch| stretch.from < stretch.to) {
            if self.left == 0 {
                return Ok(());
            }
            self.stretch(reader, *stretch, stopped)?;
            if stopped() {
                return Ok(());
            }
        }
        let ends: Vec<(i32, i64)> =
            stretches.iter().map(|stretch| (stretch.partition, stretch.to.max(stretch.from))).collect();
        if follow && self.left > 0 {
            reader.turn_to(self.topic, &ends)?;
        }
        while follow && self.left > 0 && !stopped() {
            if let Read::Record(record) = reader.next(LOOK)? {
                self.judge(&record)?;
            }
        }
        Ok(())
    }

    fn stretch(
        &mut self,
        reader: &mut Reader,
        stretch: Stretch,
        stopped: &mut dyn FnMut() -> bool,
    ) -> Result<(), Failed> {
        let Stretch { partition, from, to } = stretch;
        reader.turn_to(self.topic, &[(partition, from)])?;
        while self.left > 0 {
            match reader.next(LOOK)? {
                // What librdkafka had fetched of the partition before.
                Read::Record(record) if record.partition() != partition => {}
                Read::Record(record) if record.offset() >= to => return Ok(()),
                Read::Record(record) => {
                    let last = record.offset() + 1 >= to;
                    self.judge(&record)?;
                    if last {
                        return Ok(());
                    }
                }
                // The last offsets may hold marks of transactions, which are no records.
                Read::End(ended) if ended == partition => return Ok(()),
                Read::Nothing if stopped() => return Ok(()),
                Read::End(_) | Read::Nothing => {}
            }
        }
        Ok(())
    }

    fn judge(&mut self, record: &Record) -> io::Result<()> {
        self.left -= 1;
        self.progress.advance(1);
        let violations = event::audit(record, self.judge, self.key);
        if violations.is_empty() {
            self.totals.valid += 1;
            return Ok(());
        }
        self.totals.invalid += 1;
        if self.report.room() == 0 {
            self.totals.unsaid += 1;
            return Ok(());
        }
        let value = record.value().unwrap_or_default();
        for violation in violations {
            if self.report.room() == 0 {
                break;
            }
            let placed = (!violation.place.is_empty()).then(|| finding(value, &violation));
            let report = &mut self.report;
            self.progress.suspend(|| report.in_record(record, &violation, placed.as_ref()))?;
        }
        Ok(())
    }
}

/// What is to be read of each partition, up to the ends as they are now.
async fn stretches(topic: &str, from: Begin, connection: ConnectionConfig) -> Result<Vec<Stretch>, CliError> {
    let unknown = || {
        CliError::failed(format!("there is no topic {}", quoted(topic)))
            .help("`kafkaflow snapshot` lists the topics that this login may see")
    };
    let name = TopicName::parse(topic).map_err(|_| unknown())?;
    let admin = connect::reach(connection).await?;
    let unread = |error: ClusterError| cluster_failed(&format!("cannot read {}", quoted(topic)), error);
    let listing = admin.list(Scope::Only(std::slice::from_ref(&name))).await.map_err(unread)?;
    if let Some((_, refusal)) = listing.refused.first() {
        return Err(CliError::failed(format!("cannot read {}", quoted(topic)))
            .because(refusal)
            .help("the login needs DESCRIBE and READ on the topic"));
    }
    let count = listing.topics.first().ok_or_else(unknown)?.partitions.len();
    let partitions: Vec<i32> = (0..count).filter_map(|partition| i32::try_from(partition).ok()).collect();
    let ask = async |spec| offsets::of_partitions(&admin, &name, &partitions, spec).await.map_err(unread);
    let earliest = ask(OffsetSpec::Earliest).await?;
    let latest = ask(OffsetSpec::Latest).await?;
    let since = match from {
        Begin::Ago(ago) => {
            let at = UnixMillis::now().before(ago).0.max(0);
            ask(OffsetSpec::At(at)).await?
        }
        _ => Vec::new(),
    };
    let mut stretches = Vec::new();
    let mut leaderless = None;
    for (at, partition) in partitions.iter().enumerate() {
        let (Some(Some(first)), Some(Some(end))) = (earliest.get(at).copied(), latest.get(at).copied())
        else {
            leaderless = leaderless.or(Some(*partition));
            continue;
        };
        let from = match from {
            Begin::Earliest => first,
            Begin::Latest => end,
            // No record is so young: the end.
            Begin::Ago(_) => since.get(at).copied().flatten().unwrap_or(end),
            Begin::Offset(offset) => offset.max(first),
        };
        stretches.push(Stretch { partition: *partition, from: from.min(end), to: end });
    }
    if let Some(partition) = leaderless {
        return Err(CliError::failed(format!("cannot read {}", quoted(topic)))
            .because(format!("nobody answers for partition {partition}: it may have no leader"))
            .help("`kafka-topics.sh --describe --unavailable-partitions` shows why"));
    }
    if let Begin::Offset(offset) = from
        && stretches.iter().all(|stretch| stretch.to < offset)
    {
        let last = stretches.iter().map(|stretch| stretch.to).max().unwrap_or(0);
        return Err(CliError::usage(format!("no partition of {} has an offset {offset}", quoted(topic)))
            .because(format!("the longest ends at {last}")));
    }
    Ok(stretches)
}

/// Why the work ended early.
enum Failed {
    Reading(DataError),
    Writing(io::Error),
}

impl From<DataError> for Failed {
    fn from(error: DataError) -> Self {
        Self::Reading(error)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Writing(error)
    }
}

fn failed(topic: &str, error: &Explained) -> CliError {
    let failed = CliError::failed(format!("cannot read the records of {}", quoted(topic))).because(error);
    match error.help() {
        Some(help) => failed.help(help),
        None => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_begin_is_written_in_four_ways() {
        assert_eq!(Begin::parse("earliest"), Ok(Begin::Earliest));
        assert_eq!(Begin::parse("-90s"), Ok(Begin::Ago(Duration::from_secs(90))));
        assert_eq!(Begin::parse("12"), Ok(Begin::Offset(12)));
        for text in ["", "-", "-12", "1h", "yesterday", "-5x"] {
            assert!(Begin::parse(text).is_err(), "{text}");
        }
    }
}
