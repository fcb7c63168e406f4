//! `kafkaflow run order`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderValue, InvalidHeaderValue};
use serde::Deserialize;
use tokio::sync::watch;

use super::assets::{Assets, prices};
use super::means::duration;
use super::settings::{CommonArgs, File, Printed, open_to_others};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::signal;
use crate::runtime::http::Token;
use crate::services::order::api::Beside;
use crate::services::order::payment::{Answer, Charge, Payments};
use crate::services::order::reserving::Inventory;
use crate::services::order::run::{NAME, Settings, run as serve};
use crate::services::payment::{Simulated, Verdict};
use crate::text::quoted;

pub(crate) const PORT: u16 = 8080;
const INVENTORY: &str = "http://127.0.0.1:8081";
const WITHIN: Duration = Duration::from_secs(2);

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

    /// How stock is reserved [default: events]
    #[arg(long, value_name = "HOW", help_heading = "Reservations")]
    reserve: Option<ReserveBy>,

    /// With --reserve http: where the inventory takes reservations [default: http://127.0.0.1:8081]
    #[arg(
        long,
        value_name = "URL",
        env = "KAFKAFLOW_INVENTORY",
        hide_env_values = true,
        help_heading = "Reservations"
    )]
    inventory: Option<String>,

    /// A file with the bearer token that the inventory asks for
    #[arg(
        long,
        value_name = "FILE",
        env = "KAFKAFLOW_INVENTORY_TOKEN_FILE",
        hide_env_values = true,
        help_heading = "Reservations"
    )]
    inventory_token_file: Option<PathBuf>,

    /// How long the inventory's answer is waited for [default: 2s]
    #[arg(long, value_name = "DURATION", help_heading = "Reservations")]
    reserve_within: Option<String>,

    /// Who takes the money of confirmed orders [default: simulated]
    #[arg(long, value_name = "WHO", help_heading = "Payments")]
    payments: Option<PaymentsBy>,

    /// Which part of the charges the simulated provider declines, from 0 to 1 [default: 0]
    #[arg(long, value_name = "PART", help_heading = "Payments")]
    decline_rate: Option<f64>,
}

/// How stock is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReserveBy {
    /// By an event; the order is PENDING until its answer comes
    Events,
    /// By a call of the inventory's POST /reservations; the client waits for it
    Http,
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
            reserve: self.reserve.or(file.reserve),
            inventory: self.inventory.or_else(|| file.inventory.clone()),
            inventory_token_file: self.inventory_token_file.or_else(|| file.inventory_token.clone()),
            reserve_within: self.reserve_within.or_else(|| file.reserve_within.clone()),
            payments: self.payments.or(file.payments),
            decline_rate: self.decline_rate.or(file.decline_rate),
        }
    }

    pub(crate) fn print(&self, printed: &mut Printed) {
        printed.path("catalog", self.catalog.as_deref());
        printed.path("api-token-file", self.api_token_file.as_deref());
        printed.set("anonymous", Some(self.anonymous.to_string()));
        let by = if self.reserves_by_http() { "http" } else { "events" };
        printed.set("reserve", Some(by.to_owned()));
        printed.set("inventory", Some(self.inventory.clone().unwrap_or_else(|| INVENTORY.to_owned())));
        printed.path("inventory-token-file", self.inventory_token_file.as_deref());
        printed.set("reserve-within", Some(self.reserve_within.clone().unwrap_or_else(|| "2s".to_owned())));
        let name = if self.payments() == PaymentsBy::None { "none" } else { "simulated" };
        printed.set("payments", Some(name.to_owned()));
        printed.set("decline-rate", Some(self.decline_rate.unwrap_or(0.0).to_string()));
    }

    fn payments(&self) -> PaymentsBy {
        self.payments.unwrap_or(PaymentsBy::Simulated)
    }

    pub(crate) fn reserves_by_http(&self) -> bool {
        self.reserve == Some(ReserveBy::Http)
    }

    /// With the inventory there, unless it is said to be elsewhere.
    pub(crate) fn with_inventory_at(self, address: SocketAddr) -> Result<Self, CliError> {
        if !self.reserves_by_http() || self.inventory.is_some() {
            return Ok(self);
        }
        if address.port() == 0 {
            return Err(CliError::usage("--reserve http has to know the inventory's port")
                .help("say one: `--inventory-listen 127.0.0.1:8081`"));
        }
        Ok(Self { inventory: Some(format!("http://{address}")), ..self })
    }

    fn inventory(&self) -> Result<Option<Inventory>, CliError> {
        if !self.reserves_by_http() {
            return Ok(None);
        }
        let text = self.inventory.as_deref().unwrap_or(INVENTORY);
        let wrong = || {
            CliError::usage(format!("{} is not where an inventory is", quoted(text)))
                .help(format!("--inventory takes the address of its HTTP, such as {INVENTORY}"))
        };
        let url = text.parse::<Url>().map_err(|error| wrong().because(error))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong());
        }
        let url = url.join("/reservations").map_err(|error| wrong().because(error))?;
        let token = self.inventory_token_file.as_deref().map(read_token).transpose()?;
        let token = token
            .map(|token| {
                let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()
            .map_err(|error: InvalidHeaderValue| {
                CliError::usage("the inventory's token fits no header").because(error)
            })?;
        let within = duration("--reserve-within", self.reserve_within.as_deref(), WITHIN)?;
        Inventory::new(url, token, within)
            .map(Some)
            .map_err(|error| CliError::failed("no client for the inventory").because(error))
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
        if let Some(open) = open_to_others(addresses)
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
            reserve: self.inventory()?,
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

pub(super) fn read_token(path: &std::path::Path) -> Result<String, CliError> {
    let shown = path.display().to_string();
    let failed = || CliError::failed(format!("{} has no token", quoted(&shown)));
    let text = std::fs::read_to_string(path).map_err(|error| failed().because(error))?;
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(failed().because("a token is one word").help("`openssl rand -hex 32` makes one"));
    }
    Ok(token.to_owned())
}
