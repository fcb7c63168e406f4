//! `kafkaflow run notification`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::assets::Assets;
use super::means::{CONSOLE, MeansArgs, duration};
use super::settings::{CommonArgs, File, Printed};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::signal;
use crate::services::notification::NAME;
use crate::services::notification::run::{Office, run as serve};
use crate::services::notification::templates::Templates;
use crate::text::quoted;

pub(crate) const PORT: u16 = 8082;
const BATCH: u32 = 100;
/// Nobody misses a letter for so long, and a transaction for each would cost more than all the letters.
const BATCH_WAIT: Duration = Duration::from_millis(250);

/// The notification service: sends mails, text messages and words to the operators, as events ask for them.
///
/// Without flags everything goes to standard output, a line of JSON each. A provider that is away is waited for; what it
/// refuses for good goes to the dead-letter topic; one that refuses our credentials stops the work until they are mended.
/// HTTP serves /metrics, /healthz and /readyz. SIGTERM finishes what is in hand.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: CommonArgs,

    #[command(flatten)]
    own: NotificationArgs,
}

/// What is the notification service's own.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct NotificationArgs {
    /// A folder of templates, NAME.txt, NAME.html, NAME.sms [default: those that are part of kafkaflow]
    #[arg(long, value_name = "DIR", env = "KAFKAFLOW_TEMPLATES", hide_env_values = true)]
    templates: Option<PathBuf>,

    /// How many notifications are taken at once [default: 100]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: Option<u32>,

    /// How long a batch that is not full waits for more [default: 250ms]
    #[arg(long, value_name = "DURATION")]
    batch_wait: Option<String>,

    #[command(flatten)]
    means: MeansArgs,
}

impl NotificationArgs {
    /// With the file's settings where no flag says otherwise; `place`: where what nobody says anything of goes.
    pub(crate) fn or(self, file: &File, place: &str) -> Self {
        Self {
            templates: self.templates.or_else(|| file.templates.clone()),
            batch: self.batch.or(file.batch),
            batch_wait: self.batch_wait.or_else(|| file.batch_wait.clone()),
            means: self.means.or(file, place),
        }
    }

    pub(crate) fn print(&self, printed: &mut Printed) {
        printed.path("templates", self.templates.as_deref());
        printed.set("batch", Some(self.batch.unwrap_or(BATCH).to_string()));
        printed.set(
            "batch-wait",
            Some(self.batch_wait.clone().unwrap_or_else(|| format!("{}ms", BATCH_WAIT.as_millis()))),
        );
        self.means.print(printed);
    }

    pub(crate) fn office(&self, assets: &Assets) -> Result<Office, CliError> {
        Ok(Office {
            judge: assets.judge.clone(),
            templates: templates(self.templates.as_deref())?,
            providers: self.means.providers()?,
            batch: self.batch.unwrap_or(BATCH).max(1) as usize,
            linger: duration("--batch-wait", self.batch_wait.as_deref(), BATCH_WAIT)?,
        })
    }
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(PORT)?;
    let own = args.own.or(&file, CONSOLE);
    if common.print {
        let mut printed = common.printed()?;
        own.print(&mut printed);
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let addresses = common.addresses()?;
    let assets = common.assets()?;
    let office = own.office(&assets)?;
    common.serve(NAME, &assets, &addresses, |around| serve(office, around, signal::end())).await
}

/// The templates of a folder, or those that are part of kafkaflow.
fn templates(folder: Option<&Path>) -> Result<Templates, CliError> {
    let Some(folder) = folder else {
        return Templates::embedded().map_err(|bad| unusable("the templates", &bad));
    };
    let shown = quoted(&folder.display().to_string());
    let failed = |error: std::io::Error| {
        CliError::failed(format!("cannot read the templates in {shown}"))
            .because(error)
            .help("--templates names a folder of files NAME.txt, NAME.html, NAME.sms")
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && matches!(kind, "txt" | "html" | "sms")
        {
            files.push((name.to_owned(), std::fs::read_to_string(&path).map_err(failed)?));
        }
    }
    if files.is_empty() {
        return Err(CliError::failed(format!("there are no templates in {shown}"))
            .help("--templates names a folder of files NAME.txt, NAME.html, NAME.sms"));
    }
    files.sort();
    Templates::of(files).map_err(|bad| unusable(&format!("the templates in {shown}"), &bad))
}

fn unusable(which: &str, bad: &[crate::services::notification::templates::BadTemplate]) -> CliError {
    bad.iter().fold(CliError::failed(format!("{which} cannot be used")), CliError::because)
}
