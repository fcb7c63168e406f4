//! `kafkaflow apply`

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tokio::time::Instant;

use super::connect::ConnectArgs;
use super::error::CliError;
use super::exit::Exit;
use super::plan::{plan_key, require_verification};
use super::planning::{Planned, cluster_failed, plan_live};
use super::progress;
use super::select::SelectArgs;
use super::signal::asked_to_end;
use super::view::plan::{Heading, render};
use super::view::screen::Screen;
use super::view::{apply as view, text};
use crate::cluster::apply::{Behind, Outcome, Patience, converge, execute};
use crate::cluster::observe::{Reach, observe};
use crate::cluster::port::Topics;
use crate::kafka::admin::Admin;
use crate::plan::{Plan, SavedPlan, drift};
use crate::topology::TopicName;
use crate::unit::Duration;
use crate::unit::UnixMillis;

/// Bring a cluster to what the file says.
///
/// Shows the plan, asks, executes it, and waits until every broker knows. Exit code 0: done, or
/// nothing to do; 1: nothing was changed; 4: some of it was done, and running it again finishes the
/// rest.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The topology file; `-` reads standard input (then --yes is needed)
    #[arg(required_unless_present = "plan")]
    file: Option<PathBuf>,
    #[command(flatten)]
    select: SelectArgs,
    /// Execute a plan that `kafkaflow plan --out` saved
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["file", "env", "topics", "require_verification"])]
    plan: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
    /// Stop trying after this long; the request in hand is finished
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = patience)]
    timeout: std::time::Duration,
    /// Do not wait until every broker knows of the changes
    #[arg(long)]
    no_wait: bool,
    /// Fail when the login may not ask the broker about a change
    #[arg(long)]
    require_verification: bool,
    #[command(flatten)]
    connect: ConnectArgs,
}

fn patience(text: &str) -> Result<std::time::Duration, String> {
    let parsed = Duration::parse(text).map_err(|error| format!("{error}; {}", error.help))?;
    u64::try_from(parsed.as_millis()).map(std::time::Duration::from_millis).map_err(|error| error.to_string())
}

pub(crate) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (admin, shown) = match (&args.plan, &args.file) {
        (Some(saved), _) => saved_plan(saved, args, out).await?,
        (None, Some(file)) => fresh_plan(file, args, out).await?,
        (None, None) => return Err(CliError::usage("name a topology file, or a saved plan by --plan")),
    };
    let how = How {
        yes: args.yes,
        timeout: args.timeout,
        no_wait: args.no_wait,
        require_verification: args.require_verification,
    };
    carry_through(&admin, &shown, args.plan.as_deref(), &how, out).await
}

/// How a plan is carried through.
pub(super) struct How {
    pub(super) yes: bool,
    pub(super) timeout: std::time::Duration,
    pub(super) no_wait: bool,
    pub(super) require_verification: bool,
}

/// Asks whether a plan that was shown is to be executed, and does. `saved`: the file that it comes from.
pub(super) async fn carry_through(
    cluster: &impl Topics,
    shown: &SavedPlan,
    saved: Option<&Path>,
    how: &How,
    out: &mut impl Write,
) -> Result<Exit, CliError> {
    let plan = &shown.plan;
    if plan.is_empty() {
        return Ok(Exit::Fine);
    }
    refuse_what_cannot_be(plan)?;
    require_verification(plan, how.require_verification)?;
    if !how.yes && !confirmed(plan)? {
        return Err(CliError::failed("nothing was changed").because("the answer was not `yes`"));
    }
    unchanged_since(cluster, shown, saved).await?;
    carry_out(cluster, plan, how, out).await
}

async fn fresh_plan(file: &Path, args: &Args, out: &mut impl Write) -> Result<(Admin, SavedPlan), CliError> {
    if file == Path::new("-") && !args.yes {
        return Err(
            CliError::usage("the file comes from standard input, so nobody can be asked").help("add --yes")
        );
    }
    let deadline = Instant::now() + args.timeout;
    let (admin, wanted, Planned { plan, observed }) =
        plan_live(&args.connect, &args.select, file, deadline, UnixMillis::now().0).await?;
    let heading = Heading {
        file: &wanted.file,
        env: args.select.env.as_deref(),
        brokers: observed.brokers.len(),
        snapshot: None,
    };
    show(&plan, &heading, out)?;
    Ok((admin, SavedPlan::new(plan, &observed)))
}

async fn saved_plan(path: &Path, args: &Args, out: &mut impl Write) -> Result<(Admin, SavedPlan), CliError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::failed(format!("cannot read {shown}")).because(error))?;
    let saved = SavedPlan::read(&text, plan_key().as_deref()).map_err(|error| {
        CliError::failed(format!("{shown} is not executed"))
            .because(error)
            .help("plan anew: kafkaflow plan FILE --out PLAN")
    })?;
    let admin = args.connect.connect().await?;
    let brokers = observe(&admin, Reach::Only(&[]))
        .await
        .map_err(|error| cluster_failed("cannot read the cluster", error))?;
    if brokers.state.cluster_id != saved.plan.cluster_id {
        return Err(CliError::failed(format!("{shown} is not executed"))
            .because(format!(
                "it was made for cluster {}, and this is cluster {}",
                saved.plan.cluster_id, brokers.state.cluster_id
            ))
            .help("give the brokers of that cluster, or plan anew for this one"));
    }
    let heading = Heading { file: &shown, env: None, brokers: brokers.state.brokers.len(), snapshot: None };
    show(&saved.plan, &heading, out)?;
    Ok((admin, saved))
}

/// Nobody reads on where a pipe is closed; what was asked for is done all the same.
pub(super) fn show(plan: &Plan, heading: &Heading<'_>, out: &mut impl Write) -> Result<(), CliError> {
    let text = render(plan, heading, Screen::of_stdout());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// A blocker or a refusal stops everything: half a topology is not what the file says.
fn refuse_what_cannot_be(plan: &Plan) -> Result<(), CliError> {
    let (blocked, refused) = (plan.blocked().count(), plan.refused().count());
    if blocked + refused == 0 {
        return Ok(());
    }
    let mut error = CliError::failed("nothing was changed");
    if blocked > 0 {
        error = error.because(format!("{} blocked", text::counted(blocked, "change")));
    }
    if refused > 0 {
        error = error.because(format!("{} refused by the broker", text::counted(refused, "change")));
    }
    Err(error.help("see the lines marked `!` above; --topic GLOB applies other topics meanwhile"))
}

fn confirmed(plan: &Plan) -> Result<bool, CliError> {
    let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
    if !stdin.is_terminal() || !stderr.is_terminal() {
        return Err(CliError::usage("nobody can be asked: this is no terminal").help("add --yes"));
    }
    eprint!(
        "\nApply {} to cluster {}? Type yes: ",
        text::counted(plan.changes.len(), "change"),
        plan.cluster_id
    );
    stderr.lock().flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Reads again what the plan touches, and stops if it is not what the plan was made from.
async fn unchanged_since(
    cluster: &impl Topics,
    shown: &SavedPlan,
    saved: Option<&Path>,
) -> Result<(), CliError> {
    let names: Vec<TopicName> = shown.touched.keys().cloned().collect();
    let now = observe(cluster, Reach::Only(&names))
        .await
        .map_err(|error| cluster_failed("cannot read the cluster", error))?;
    let drifts = drift(&shown.touched, &now.state);
    if drifts.is_empty() {
        return Ok(());
    }
    let message = match saved {
        Some(path) => format!("{} is stale; nothing was changed", path.display()),
        None => "the cluster changed since the plan was shown; nothing was changed".to_owned(),
    };
    let mut error = CliError::failed(message);
    for one in drifts.iter().take(10) {
        error = error.because(format!("topic {} {}", one.topic, one.what));
    }
    if drifts.len() > 10 {
        error = error.because(format!("and {} more", drifts.len() - 10));
    }
    Err(error.help("plan anew"))
}

async fn carry_out(
    cluster: &impl Topics,
    plan: &Plan,
    how: &How,
    out: &mut impl Write,
) -> Result<Exit, CliError> {
    let (stop, stopped) = watch::channel(false);
    let listener = tokio::spawn(stop_on_signal(stop));
    let patience = Patience { deadline: Instant::now() + how.timeout, stop: stopped };
    let screen = Screen::of_stdout();
    let bar = progress::bar(plan.changes.len() as u64);
    let mut report =
        Report { plan, screen, settled: vec![None; plan.changes.len()], next: 0, written: Ok(()) };
    report.write("\n", out);
    let outcomes = execute(cluster, plan, &patience, &mut |settled| {
        bar.inc(settled.len() as u64);
        // Output and bar share a terminal: the bar steps aside for the lines.
        bar.suspend(|| report.settle(settled, out));
    })
    .await;
    bar.finish_and_clear();
    report.write(&format!("{}\n", view::summary(&outcomes)), out);
    let waits = !how.no_wait && !patience.stopped();
    let behind = if waits { wait(cluster, plan, &outcomes, &patience).await } else { Vec::new() };
    listener.abort();
    let _ = listener.await;
    if let Err(error) = report.written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("warning: the report could not be written to its end: {error}");
    }
    for one in &behind {
        let broker = one.broker.map_or_else(|| "the cluster".to_owned(), |broker| format!("broker {broker}"));
        eprintln!(
            "warning: {broker} does not show {} yet ({})",
            text::counted(one.changes, "change"),
            one.example
        );
    }
    Ok(verdict(&outcomes, &behind))
}

/// Writes each change's line as soon as it and those before it are settled: requests overtake each other,
/// the report keeps the plan's order. A closed pipe ends the report, never the work.
struct Report<'a> {
    plan: &'a Plan,
    screen: Screen,
    settled: Vec<Option<Outcome>>,
    next: usize,
    written: std::io::Result<()>,
}

impl Report<'_> {
    fn settle(&mut self, settled: Vec<(usize, Outcome)>, out: &mut impl Write) {
        for (index, outcome) in settled {
            self.settled[index] = Some(outcome);
        }
        // One write for all of them: standard output would make a system call of every line.
        let mut lines = String::new();
        while let Some(Some(outcome)) = self.settled.get(self.next) {
            lines.push_str(&view::line(&self.plan.changes[self.next], outcome, self.screen));
            lines.push('\n');
            self.next += 1;
        }
        self.write(&lines, out);
    }

    fn write(&mut self, text: &str, out: &mut impl Write) {
        if self.written.is_ok() {
            self.written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

fn verdict(outcomes: &[Outcome], behind: &[Behind]) -> Exit {
    let done = outcomes.iter().filter(|outcome| **outcome == Outcome::Done).count();
    if done == outcomes.len() && behind.is_empty() {
        Exit::Fine
    } else if done == 0 {
        Exit::Failed
    } else {
        Exit::Partly
    }
}

async fn wait(cluster: &impl Topics, plan: &Plan, outcomes: &[Outcome], patience: &Patience) -> Vec<Behind> {
    let spinner = progress::spinner();
    let behind = converge(cluster, plan, outcomes, patience, &mut |behind| {
        let brokers: Vec<String> =
            behind.iter().filter_map(|one| one.broker).map(|id| id.to_string()).collect();
        spinner.set_message(format!("waiting for broker {}", brokers.join(", ")));
    })
    .await;
    spinner.finish_and_clear();
    behind
}

/// The first Ctrl-C (or SIGTERM) lets the request in hand finish; the second ends the process.
async fn stop_on_signal(stop: watch::Sender<bool>) {
    if asked_to_end().await {
        eprintln!("stopping after the request in hand; once more to end at once");
        let _ = stop.send(true);
        if asked_to_end().await {
            std::process::exit(130);
        }
    }
}
