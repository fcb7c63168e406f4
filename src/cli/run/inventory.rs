//! `kafkaflow run inventory`

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::assets::Assets;
use super::means::duration;
use super::order::read_token;
use super::settings::{CommonArgs, File, Printed, open_to_others};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{catalog_file, signal};
use crate::event::Text;
use crate::runtime::http::Token;
use crate::services::inventory::NAME;
use crate::services::inventory::run::{Reservations, Shop, run as serve};

pub(crate) const PORT: u16 = 8081;
const OPERATORS: &str = "operations";

/// The inventory service: reserves stock for orders, all items of an order or none.
///
/// It begins with the catalogue's stock; `kafkaflow stock` shows and changes it. HTTP serves /metrics, /healthz and /readyz.
/// SIGTERM finishes what is in hand.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// Products and their opening stock [default: the catalogue that is part of kafkaflow]
    #[arg(long, value_name = "FILE", env = "KAFKAFLOW_CATALOG", hide_env_values = true)]
    catalog: Option<PathBuf>,

    #[command(flatten)]
    own: InventoryArgs,
}

/// What is the inventory's own.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct InventoryArgs {
    /// Who is told of products that are short: an operators' list [default: operations]
    #[arg(long, value_name = "LIST")]
    operators: Option<String>,

    /// Take reservations by POST /reservations too, for an order service with --reserve http
    #[arg(long, help_heading = "Reservations")]
    reservations: bool,

    /// A file with the bearer token that whoever reserves must have
    #[arg(
        long,
        value_name = "FILE",
        env = "KAFKAFLOW_RESERVATION_TOKEN_FILE",
        hide_env_values = true,
        help_heading = "Reservations"
    )]
    reservation_token_file: Option<PathBuf>,

    /// Answer so much later: to try out what a slow inventory does to orders [default: 0s]
    #[arg(long, value_name = "DURATION", help_heading = "Reservations")]
    delay: Option<String>,
}

impl InventoryArgs {
    /// With the file's settings where no flag says otherwise.
    pub(crate) fn or(self, file: &File) -> Self {
        Self {
            operators: self.operators.or_else(|| file.operators.clone()),
            reservations: self.reservations || file.reservations.unwrap_or(false),
            reservation_token_file: self.reservation_token_file.or_else(|| file.reservation_token.clone()),
            delay: self.delay.or_else(|| file.delay.clone()),
        }
    }

    fn operators(&self) -> &str {
        self.operators.as_deref().unwrap_or(OPERATORS)
    }

    pub(crate) fn print(&self, printed: &mut Printed) {
        printed.set("operators", Some(self.operators().to_owned()));
        printed.set("reservations", Some(self.reservations.to_string()));
        printed.path("reservation-token-file", self.reservation_token_file.as_deref());
        printed.set("delay", Some(self.delay.clone().unwrap_or_else(|| "0s".to_owned())));
    }

    /// With reservations over HTTP.
    pub(crate) fn taking_reservations(self) -> Self {
        Self { reservations: true, ..self }
    }

    fn reservations(&self, addresses: &[SocketAddr]) -> Result<Option<Reservations>, CliError> {
        if !self.reservations {
            return Ok(None);
        }
        let token = self.reservation_token_file.as_deref().map(read_token).transpose()?;
        if let Some(open) = open_to_others(addresses)
            && token.is_none()
        {
            return Err(CliError::usage(format!(
                "{open} is open to other machines, and nobody needs a token to reserve"
            ))
            .help("`--reservation-token-file FILE` asks for one"));
        }
        Ok(Some(Reservations(token.map(|token| Token::new(&token)))))
    }

    /// What the service is started with, if it may be served at these addresses.
    pub(crate) fn shop(
        &self,
        assets: &Assets,
        catalog: Option<&Path>,
        addresses: &[SocketAddr],
    ) -> Result<Shop, CliError> {
        let operators = Text::new(self.operators())
            .map_err(|error| CliError::usage("--operators names a list").because(error))?;
        Ok(Shop {
            judge: assets.judge.clone(),
            catalog: catalog_file::load(catalog)?,
            operators,
            delay: duration("--delay", self.delay.as_deref(), Duration::ZERO)?,
            reservations: self.reservations(addresses)?,
        })
    }
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(PORT)?;
    let own = args.own.or(&file);
    let catalog = args.catalog.or(file.catalog);
    if common.print {
        let mut printed = common.printed()?;
        printed.path("catalog", catalog.as_deref());
        own.print(&mut printed);
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let addresses = common.addresses()?;
    let assets = common.assets()?;
    let shop = own.shop(&assets, catalog.as_deref(), &addresses)?;
    common.serve(NAME, &assets, &addresses, |around| serve(shop, around, signal::end())).await
}
