//! `kafkaflow run order`

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::assets::prices;
use super::settings::{CommonArgs, ended};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::signal;
use crate::services::order::api::Token;
use crate::services::order::payment::{Answer, Charge, Payments};
use crate::services::order::run::{NAME, Settings, run as serve};
use crate::services::payment::{Simulated, Verdict};
use crate::text::quoted;

const PORT: u16 = 8080;

/// The order service: takes orders over HTTP, confirms or cancels them as the inventory answers.
///
/// POST /orders answers 202 at once; GET /orders/{id} is polled, GET /orders/{id}/events streams; /openapi.json describes
/// all of it. Also: /metrics, /healthz, /readyz. SIGTERM finishes what is in hand.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: CommonArgs,

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
struct Provider(Simulated);

impl Payments for Provider {
    async fn capture(&self, charge: Charge) -> Answer {
        match self.0.capture(&charge.key) {
            Verdict::Captured => Answer::Captured,
            Verdict::Declined { reason } => Answer::Declined { reason: reason.to_owned() },
        }
    }
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(PORT)?;
    let catalog = args.catalog.or(file.catalog);
    let token_file = args.api_token_file.or(file.api_token);
    let anonymous = args.anonymous || file.anonymous.unwrap_or(false);
    let payments = args.payments.or(file.payments).unwrap_or(PaymentsBy::Simulated);
    let decline_rate = args.decline_rate.or(file.decline_rate).unwrap_or(0.0);
    if !(0.0..=1.0).contains(&decline_rate) {
        return Err(
            CliError::usage("--decline-rate is a part, from 0 to 1").help("0.05 declines one in twenty")
        );
    }
    if common.print {
        let mut printed = common.printed()?;
        printed.set("catalog", catalog.map(|path| path.display().to_string()));
        printed.set("api-token-file", token_file.map(|path| path.display().to_string()));
        printed.set("anonymous", Some(anonymous.to_string()));
        let name = if payments == PaymentsBy::None { "none" } else { "simulated" };
        printed.set("payments", Some(name.to_owned()));
        printed.set("decline-rate", Some(decline_rate.to_string()));
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let token = token_file.as_deref().map(read_token).transpose()?;
    let addresses = common.addresses()?;
    if let Some(open) = addresses.iter().find(|address| !address.ip().is_loopback())
        && token.is_none()
        && !anonymous
    {
        return Err(CliError::usage(format!("{open} is open to other machines, and nobody needs a token"))
            .help("`--api-token-file FILE` asks for one; `--anonymous` serves everybody all the same"));
    }
    let assets = common.assets()?;
    let settings = Settings {
        judge: assets.judge.clone(),
        prices: prices(catalog.as_deref())?,
        token,
        payments: (payments == PaymentsBy::Simulated)
            .then(|| Arc::new(Provider(Simulated::new(decline_rate)))),
    };
    let around = common.surroundings(NAME, &assets, &addresses).await?;
    let tracing = around.tracing.clone();
    let worked = Box::pin(serve(settings, around, signal::end())).await;
    // Sending may wait for a collector.
    let _ = tokio::task::spawn_blocking(move || tracing.shut_down()).await;
    worked.map_err(|error| ended(NAME, &error))?;
    Ok(Exit::Fine)
}

fn read_token(path: &std::path::Path) -> Result<Token, CliError> {
    let shown = path.display().to_string();
    let failed = || CliError::failed(format!("{} has no token", quoted(&shown)));
    let text = std::fs::read_to_string(path).map_err(|error| failed().because(error))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(failed().because("a token is one word").help("`openssl rand -hex 32` makes one"));
    }
    Ok(Token::new(token))
}
