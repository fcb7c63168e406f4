//! What a service is built from: the user's own files where they are named, else those that are part of kafkaflow.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::cli::error::CliError;
use crate::cli::topology_file;
use crate::cli::{catalog_file, event_judge};
use crate::schema::Judge;
use crate::text::quoted;
use crate::topology::{self, SchemaFiles, Topology};
use crate::unit::Money;

pub(crate) const TOPOLOGY: &str = include_str!("../../../topology.yaml");
const USUAL_TOPOLOGY: &str = "topology.yaml";

/// A topology and what judges its events.
pub(crate) struct Assets {
    pub(crate) topology: Arc<Topology>,
    pub(crate) judge: Arc<Judge>,
}

/// Of the topology file, with the schemas beside it; without one, those that are part of kafkaflow.
pub(crate) fn assets(file: Option<&Path>, env: Option<&str>) -> Result<Assets, CliError> {
    let Some(file) = file else {
        if Path::new(USUAL_TOPOLOGY).exists() {
            tracing::warn!(
                "there is a {USUAL_TOPOLOGY} here, which is not used: the topology that is part of kafkaflow is; \
                 `--topology {USUAL_TOPOLOGY}` takes yours"
            );
        }
        return embedded(env);
    };
    let loaded = topology_file::load(file, env)?;
    let Some(topology) = loaded.topology else {
        return Err(CliError::failed(format!("{} has errors", quoted(&loaded.path)))
            .help(format!("`kafkaflow validate {}` shows them", loaded.path)));
    };
    let Some(folder) = &topology.schemas else {
        return Err(CliError::failed(format!("{} names no folder of schemas", quoted(&loaded.path)))
            .help("say `schemas: FOLDER`; services check every event"));
    };
    let judge = event_judge::of_folder(&topology_file::beside(file, folder))?;
    Ok(Assets { topology: Arc::new(topology), judge: Arc::new(judge) })
}

fn embedded(env: Option<&str>) -> Result<Assets, CliError> {
    let loaded = topology::load(TOPOLOGY, env, |_| SchemaFiles::Unchecked);
    let Some(topology) = loaded.topology else {
        let failed = CliError::usage("the topology that is part of kafkaflow cannot be used");
        let help = loaded.problems.iter().find_map(|problem| problem.help.clone());
        let failed = loaded.problems.iter().fold(failed, |error, problem| error.because(&problem.message));
        return Err(help.into_iter().fold(failed, CliError::help));
    };
    let judge =
        crate::event::judge().map_err(|error| CliError::failed("the schemas are broken").because(error))?;
    Ok(Assets { topology: Arc::new(topology), judge: Arc::new(judge) })
}

/// Prices by product, of the catalogue file or of the one that is part of kafkaflow.
pub(crate) fn prices(file: Option<&Path>) -> Result<HashMap<String, Money>, CliError> {
    let catalog = catalog_file::load(file)?;
    Ok(catalog.products().iter().map(|product| (product.id.clone(), product.price)).collect())
}
