//! `kafkaflow outbox status`

use std::io::Write;
use std::time::Duration;

use super::Format;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::store::{StoreArgs, store_failed};
use crate::cli::view::grid::Grid;
use crate::store::outbox::{self, Status};
use crate::unit::{self, UnixMillis, grouped};

/// How many events wait, for how long, and how many no broker takes.
///
/// PENDING rows wait to be published, BEHIND DEAD ones among them until somebody decides about the dead row of their
/// key (`kafkaflow outbox dead`). PUBLISHED rows are kept for a day, for `kafkaflow outbox verify`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    store: StoreArgs,
}

#[derive(serde::Serialize)]
struct Shown<'s> {
    service: &'s str,
    pending: i64,
    behind_dead: i64,
    oldest_pending_seconds: Option<f64>,
    dead: i64,
    published: i64,
    published_last_minute: i64,
}

pub(super) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let mut found = Vec::new();
    let now = UnixMillis::now();
    for attached in args.store.attach().await? {
        let status = outbox::status(&mut attached.store.reading(), now).await;
        found.push((
            attached.service.clone(),
            status.map_err(|error| store_failed(&attached.service, &error))?,
        ));
    }
    match args.format {
        Format::Table => write!(out, "{}", table(&found, now))?,
        Format::Json => {
            let shown: Vec<Shown<'_>> = found
                .iter()
                .map(|(service, status)| Shown {
                    service,
                    pending: status.pending,
                    behind_dead: status.behind_dead,
                    oldest_pending_seconds: status.oldest.map(|oldest| oldest.age(now).as_secs_f64()),
                    dead: status.dead,
                    published: status.published,
                    published_last_minute: status.last_minute,
                })
                .collect();
            serde_json::to_writer_pretty(&mut *out, &shown).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Fine)
}

fn table(found: &[(String, Status)], now: UnixMillis) -> Grid {
    let mut grid =
        Grid::new(&["SERVICE", "PENDING", "OLDEST", "BEHIND DEAD", "DEAD", "PUBLISHED", "LAST MINUTE"]);
    for (service, status) in found {
        let count = |count: i64| grouped(usize::try_from(count).unwrap_or(0));
        grid.row(vec![
            service.clone(),
            count(status.pending),
            status.oldest.map_or_else(|| "-".to_owned(), |oldest| age(oldest.age(now))),
            count(status.behind_dead),
            count(status.dead),
            count(status.published),
            count(status.last_minute),
        ]);
    }
    grid
}

/// To the second, or to the millisecond below one.
fn age(age: Duration) -> String {
    let millis = age.as_millis();
    let rounded = if millis < 1000 { millis } else { millis / 1000 * 1000 };
    unit::Duration::from_millis(i64::try_from(rounded).unwrap_or(i64::MAX)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_counts_and_ages_as_people_write_them() {
        let now = UnixMillis(10_000_000);
        let busy = Status {
            pending: 12_345,
            behind_dead: 2,
            oldest: Some(UnixMillis(10_000_000 - 61_234)),
            dead: 1,
            published: 1_000_000,
            last_minute: 30_000,
        };
        let young = Status { pending: 1, oldest: Some(UnixMillis(9_999_993)), ..Status::default() };
        let found = [("inventory".to_owned(), busy), ("order".to_owned(), young)];
        insta::assert_snapshot!(table(&found, now));
    }
}
