//! `kafkaflow run order`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tokio::sync::watch;

use super::assets::{Assets, prices};
use super::settings::{CommonArgs, File, Printed};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::signal;
use crate::services::order::api::{Beside, Token};
use crate::services::order::payment::{Answer, Charge, Payments};
use crate::services::order::run::{NAME, Settings, run as serve};
use crate::services::payment::{Simulated, Verdict};
use crate::text::quoted;

pub(crate) const PORT: u16 = 8080;

/// The order service: takes orders over HTTP, confirms or cancels them as the inventory answers.
///
/// POST /orders answers 202 at once; GET /orders/{id} is polled, GET /orders/{id}/events streams; /openapi.json describes
/// all of it. Also: /metrics, /healthz, /readyz. SIGTERM finishes what is in hand.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: CommonArgs,

    #[command(flatten)]
    own: OrderArgs,
}

/// What is the order service's own.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct OrderArgs {
    /// Products and prices [default: the catalogue that is part of kafkaflow]
    #[arg(long, value_name = "FILE", env = "KAFKAFLOW_CATALOG", hide_env_values = true)]
    catalog: Option<PathBuf>,

    /// A file with the bearer token that clients must have
    #[arg(
        long,
        value_name = "FILE",
        env = "KAFKAFLOW_API_TOKEN_FILE",
        hide_env_values = true,
        help_heading = "HTTP"
    )]
    api_token_file: Option<PathBuf>,

    /// Serve others than this machine without a token
    #[arg(long, help_heading = "HTTP")]
    anonymous: bool,

    /// Who takes the money of confirmed orders [default: simulated]
    #[arg(long, value_name = "WHO", help_heading = "Payments")]
    payments: Option<PaymentsBy>,

    /// Which part of the charges the simulated provider declines, from 0 to 1 [default: 0]
    #[arg(long, value_name = "PART", help_heading = "Payments")]
    decline_rate: Option<f64>,
}

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PaymentsBy {
    /// Nobody: payments are not captured
    None,
    /// A provider that takes nothing and remembers its answers
    Simulated,
}

/// The simulated provider at the order service's port.
pub(crate) struct Provider(Simulated);

impl Payments for Provider {
    async fn capture(&self, charge: Charge) -> Answer {
        match self.0.capture(&charge.key) {
            Verdict::Captured => Answer::Captured,
            Verdict::Declined { reason } => Answer::Declined { reason: reason.to_owned() },
        }
    }
}

impl OrderArgs {
    /// With the file's settings where no flag says otherwise.
    pub(crate) fn or(self, file: &File) -> Self {
        Self {
            catalog: self.catalog.or_else(|| file.catalog.clone()),
            api_token_file: self.api_token_file.or_else(|| file.api_token.clone()),
            anonymous: self.anonymous || file.anonymous.unwrap_or(false),
            payments: self.payments.or(file.payments),
            decline_rate: self.decline_rate.or(file.decline_rate),
        }
    }

    pub(crate) fn print(&self, printed: &mut Printed) {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        printed.set("catalog", path(&self.catalog));
        printed.set("api-token-file", path(&self.api_token_file));
        printed.set("anonymous", Some(self.anonymous.to_string()));
        let name = if self.payments() == PaymentsBy::None { "none" } else { "simulated" };
        printed.set("payments", Some(name.to_owned()));
        printed.set("decline-rate", Some(self.decline_rate.unwrap_or(0.0).to_string()));
    }

    fn payments(&self) -> PaymentsBy {
        self.payments.unwrap_or(PaymentsBy::Simulated)
    }

    pub(crate) fn catalog(&self) -> Option<&Path> {
        self.catalog.as_deref()
    }

    /// The token that clients must have.
    pub(crate) fn token(&self) -> Result<Option<String>, CliError> {
        self.api_token_file.as_deref().map(read_token).transpose()
    }

    pub(crate) fn check(&self) -> Result<(), CliError> {
        if (0.0..=1.0).contains(&self.decline_rate.unwrap_or(0.0)) {
            return Ok(());
        }
        Err(CliError::usage("--decline-rate is a part, from 0 to 1").help("0.05 declines one in twenty"))
    }

    /// What the service is started with, if it may be served at these addresses.
    pub(crate) fn settings(
        &self,
        assets: &Assets,
        addresses: &[SocketAddr],
        closed: watch::Receiver<bool>,
    ) -> Result<Settings<Provider>, CliError> {
        let token = self.token()?.map(|token| Token::new(&token));
        if let Some(open) = addresses.iter().find(|address| !address.ip().is_loopback())
            && token.is_none()
            && !self.anonymous
        {
            return Err(CliError::usage(format!(
                "{open} is open to other machines, and nobody needs a token"
            ))
            .help("`--api-token-file FILE` asks for one; `--anonymous` serves everybody all the same"));
        }
        let declined = self.decline_rate.unwrap_or(0.0);
        Ok(Settings {
            judge: assets.judge.clone(),
            prices: prices(self.catalog())?,
            token,
            payments: (self.payments() == PaymentsBy::Simulated)
                .then(|| Arc::new(Provider(Simulated::new(declined)))),
            closed,
            beside: Beside::default(),
        })
    }
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(PORT)?;
    let own = args.own.or(&file);
    own.check()?;
    if common.print {
        let mut printed = common.printed()?;
        own.print(&mut printed);
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let addresses = common.addresses()?;
    let assets = common.assets()?;
    let settings = own.settings(&assets, &addresses, watch::Sender::new(false).subscribe())?;
    common.serve(NAME, &assets, &addresses, |around| serve(settings, around, signal::end())).await
}

fn read_token(path: &std::path::Path) -> Result<String, CliError> {
    let shown = path.display().to_string();
    let failed = || CliError::failed(format!("{} has no token", quoted(&shown)));
    let text = std::fs::read_to_string(path).map_err(|error| failed().because(error))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(failed().because("a token is one word").help("`openssl rand -hex 32` makes one"));
    }
    Ok(token.to_owned())
}
