//! `kafkaflow outbox dead`

use std::io::Write;

use super::Format;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::store::{Attached, StoreArgs, store_failed};
use crate::cli::view::grid::Grid;
use crate::store::StoreError;
use crate::store::outbox::{self, DeadRow};
use crate::text::quoted;
use crate::unit::counted;

/// Events that no broker takes, and what to do about them.
///
/// Without a decision they are listed, with the reason. Later events of their keys wait until there is one: `--retry`
/// once the cause is mended, or `--drop`, after which the others go on without it.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Publish the row of this number again, or `all` of them
    #[arg(long, value_name = "ROW|all", value_parser = Which::parse, conflicts_with = "drop")]
    retry: Option<Which>,

    /// Give the row of this number up for good
    #[arg(long, value_name = "ROW")]
    drop: Option<i64>,

    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, Debug)]
enum Which {
    All,
    Row(i64),
}

impl Which {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::Row).map_err(|_| "write the number of a row, or `all`".to_owned()),
        }
    }
}

#[derive(serde::Serialize)]
struct Shown<'s> {
    service: &'s str,
    row: i64,
    event: &'s str,
    topic: &'s str,
    key: &'s str,
    reason: &'s str,
    waiting_behind: i64,
}

pub(super) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let mut attached = args.store.attach().await?;
    if args.retry.is_some() || args.drop.is_some() {
        let (Some(one), true) = (attached.pop(), attached.is_empty()) else {
            return Err(CliError::usage("numbers of rows are those of one service")
                .help("name it by `--service`; `kafkaflow outbox status` lists them"));
        };
        return decide(args, &one, out).await;
    }
    let mut found = Vec::new();
    for one in attached {
        let rows = outbox::dead(&mut one.store.reading()).await;
        let rows = rows.map_err(|error| store_failed(&one.service, &error))?;
        found.extend(rows.into_iter().map(|row| (one.service.clone(), row)));
    }
    match args.format {
        Format::Table if found.is_empty() => writeln!(out, "no dead row")?,
        Format::Table => write!(out, "{}", table(&found))?,
        Format::Json => {
            let shown: Vec<Shown<'_>> = found
                .iter()
                .map(|(service, row)| Shown {
                    service,
                    row: row.seq,
                    event: &row.id,
                    topic: &row.topic,
                    key: &row.key,
                    reason: &row.reason,
                    waiting_behind: row.behind,
                })
                .collect();
            serde_json::to_writer_pretty(&mut *out, &shown).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Fine)
}

fn table(found: &[(String, DeadRow)]) -> Grid {
    let mut grid = Grid::new(&["SERVICE", "ROW", "BEHIND", "EVENT", "TOPIC", "KEY", "REASON"]).left_from(3);
    for (service, row) in found {
        grid.row(vec![
            service.clone(),
            row.seq.to_string(),
            row.behind.to_string(),
            row.id.clone(),
            row.topic.clone(),
            row.key.clone(),
            row.reason.clone(),
        ]);
    }
    grid
}

async fn decide(args: &Args, one: &Attached, out: &mut impl Write) -> Result<Exit, CliError> {
    let failed = |error: StoreError| store_failed(&one.service, &error);
    let mut tx = one.store.tx();
    let (word, rows) = match (args.retry, args.drop) {
        (Some(Which::All), _) => {
            let all = outbox::dead(&mut tx).await.map_err(failed)?;
            ("wait to be published again", all.into_iter().map(|row| row.seq).collect())
        }
        (Some(Which::Row(row)), _) => ("wait to be published again", vec![row]),
        (None, row) => ("dropped", row.into_iter().collect::<Vec<i64>>()),
    };
    for row in &rows {
        let done = match args.drop {
            Some(_) => outbox::drop_dead(&mut tx, *row).await,
            None => outbox::retry_dead(&mut tx, *row).await,
        };
        if !done.map_err(failed)? {
            return Err(CliError::failed(format!("{} has no dead row {row}", quoted(&one.service)))
                .help("`kafkaflow outbox dead` lists them"));
        }
    }
    tx.commit().await.map_err(failed)?;
    writeln!(out, "{} {word}", counted(rows.len(), "row"))?;
    Ok(Exit::Fine)
}
