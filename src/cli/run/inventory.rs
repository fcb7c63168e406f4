//! `kafkaflow run inventory`

use std::io::Write;
use std::path::{Path, PathBuf};

use super::assets::Assets;
use super::settings::{CommonArgs, File, Printed};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{catalog_file, signal};
use crate::event::Text;
use crate::services::inventory::NAME;
use crate::services::inventory::run::{Shop, run as serve};

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
}

impl InventoryArgs {
    /// With the file's settings where no flag says otherwise.
    pub(crate) fn or(self, file: &File) -> Self {
        Self { operators: self.operators.or_else(|| file.operators.clone()) }
    }

    fn operators(&self) -> &str {
        self.operators.as_deref().unwrap_or(OPERATORS)
    }

    pub(crate) fn print(&self, printed: &mut Printed) {
        printed.set("operators", Some(self.operators().to_owned()));
    }

    pub(crate) fn shop(&self, assets: &Assets, catalog: Option<&Path>) -> Result<Shop, CliError> {
        let operators = Text::new(self.operators())
            .map_err(|error| CliError::usage("--operators names a list").because(error))?;
        Ok(Shop { judge: assets.judge.clone(), catalog: catalog_file::load(catalog)?, operators })
    }
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(PORT)?;
    let own = args.own.or(&file);
    let catalog = args.catalog.or(file.catalog);
    if common.print {
        let mut printed = common.printed()?;
        printed.set("catalog", catalog.map(|path| path.display().to_string()));
        own.print(&mut printed);
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let addresses = common.addresses()?;
    let assets = common.assets()?;
    let shop = own.shop(&assets, catalog.as_deref())?;
    common.serve(NAME, &assets, &addresses, |around| serve(shop, around, signal::end())).await
}
