//! `kafkaflow plan`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use tokio::time::Instant;

use super::connect::ConnectArgs;
use super::error::CliError;
use super::exit::Exit;
use super::planning::{Planned, plan_live, plan_offline};
use super::select::{SelectArgs, Wanted};
use super::view::plan::{Heading, render};
use super::view::screen::Screen;
use super::view::{markdown, text};
use crate::plan::{Plan, PlanDocument, SavedPlan};
use crate::topology::observed::{ClusterState, SNAPSHOT_VERSION};
use crate::unit::UnixMillis;

/// Show what `apply` would change; nothing is changed.
///
/// Compares the file with the cluster, grades each change's risk, and asks the broker whether it
/// would accept it. Exit code 0: nothing to do; 3: changes are pending; 1: a change is blocked or
/// refused, or the plan could not be made.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The topology file; `-` reads standard input
    file: PathBuf,
    #[command(flatten)]
    select: SelectArgs,
    /// Plan against a saved snapshot instead of a cluster (see `kafkaflow snapshot`)
    #[arg(long, value_name = "SNAPSHOT", conflicts_with_all = ["brokers", "properties", "config", "require_verification"])]
    against: Option<PathBuf>,
    /// Save the plan for `kafkaflow apply --plan`; signed when KAFKAFLOW_PLAN_KEY is set
    #[arg(long, value_name = "PLAN", conflicts_with = "against")]
    out: Option<PathBuf>,
    /// How to write the plan
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Fail when the login may not ask the broker about a change
    #[arg(long)]
    require_verification: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: docs/plan-json.md
    Json,
    /// For pull requests
    Markdown,
}

/// A broker that throttles is asked again for this long.
const VERIFY_FOR: Duration = Duration::from_secs(60);

pub(crate) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    if let Some(snapshot) = &args.against {
        let observed = read_snapshot(snapshot)?;
        let wanted = args.select.wanted(&args.file, "planned")?;
        let planned = plan_offline(&wanted, observed);
        let name = snapshot.display().to_string();
        show(&planned, &wanted, args, Some(&name), out)?;
        return Ok(verdict(&planned.plan));
    }
    let deadline = Instant::now() + VERIFY_FOR;
    let (_admin, wanted, planned) =
        plan_live(&args.connect, &args.select, &args.file, deadline, UnixMillis::now().0).await?;
    show(&planned, &wanted, args, None, out)?;
    require_verification(&planned.plan, args.require_verification)?;
    if let Some(path) = &args.out {
        save(path, &planned)?;
    }
    Ok(verdict(&planned.plan))
}

fn verdict(plan: &Plan) -> Exit {
    if plan.blocked().next().is_some() || plan.refused().next().is_some() {
        Exit::Failed
    } else if plan.is_empty() {
        Exit::Fine
    } else {
        Exit::Pending
    }
}

pub(crate) fn require_verification(plan: &Plan, required: bool) -> Result<(), CliError> {
    let count = plan.unverified().count();
    if !required || count == 0 {
        return Ok(());
    }
    Err(CliError::failed(format!("{} not verified by the broker", text::counted(count, "change")))
        .because("--require-verification was given")
        .help("use a login with the rights that the plan names, or leave the flag out"))
}

fn show(
    planned: &Planned,
    wanted: &Wanted,
    args: &Args,
    snapshot: Option<&str>,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let heading = Heading {
        file: &wanted.file,
        env: args.select.env.as_deref(),
        brokers: planned.observed.brokers.len(),
        snapshot,
    };
    match args.format {
        Format::Table => out.write_all(render(&planned.plan, &heading, Screen::of_stdout()).as_bytes())?,
        Format::Markdown => out.write_all(markdown::render(&planned.plan, &heading).as_bytes())?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &PlanDocument::of(&planned.plan))
                .map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()?;
    Ok(())
}

fn save(path: &Path, planned: &Planned) -> Result<(), CliError> {
    let shown = path.display();
    if verdict(&planned.plan) == Exit::Failed {
        return Err(CliError::failed(format!("{shown} was not written"))
            .because("the plan holds changes that are blocked or refused")
            .help("resolve them first, or plan only other topics: --topic GLOB"));
    }
    let saved = SavedPlan::new(planned.plan.clone(), &planned.observed);
    let text = saved
        .write(plan_key().as_deref())
        .map_err(|error| CliError::failed("the plan cannot be written").because(error))?;
    // Written beside it and moved into place: a plan file is whole or it is not there.
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let draft = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| CliError::failed(format!("cannot write {shown}")).because(error))?;
    eprintln!("saved; execute it with: kafkaflow apply --plan {shown}");
    Ok(())
}

/// The key that plans are signed with.
pub(crate) fn plan_key() -> Option<Vec<u8>> {
    let key = std::env::var_os("KAFKAFLOW_PLAN_KEY")?.into_encoded_bytes();
    (!key.is_empty()).then_some(key)
}

fn read_snapshot(path: &Path) -> Result<ClusterState, CliError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::failed(format!("cannot read {shown}")).because(error))?;
    let bad = |cause: String| {
        CliError::failed(format!("{shown} is not a snapshot"))
            .because(cause)
            .help("kafkaflow snapshot -b HOST:PORT > snapshot.json")
    };
    let state: ClusterState = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    if state.version != SNAPSHOT_VERSION {
        return Err(bad(format!(
            "it has version {}, this kafkaflow reads {SNAPSHOT_VERSION}",
            state.version
        )));
    }
    Ok(state)
}
