//! The inventory at work.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::api::{self, Api};
use super::{Inventory, MIGRATIONS, NAME, Settings, Uuids, open_stock};
use crate::catalog::Catalog;
use crate::event::{EventType, Text};
use crate::runtime::http::Token;
use crate::runtime::relay::Wake;
use crate::runtime::service::{Service, ServiceError, Surroundings, Work};
use crate::runtime::startup::outlet;
use crate::schema::Judge;
use crate::services::announce::Announcer;
use crate::services::consume::{in_one_lane, options};
use crate::store::Store;
use crate::unit::UnixMillis;

/// What the inventory is started with.
pub(crate) struct Shop {
    /// Judges events by their type.
    pub(crate) judge: Arc<Judge>,
    /// Opening stock.
    pub(crate) catalog: Catalog,
    /// Who is told of a product that is short: an operators' list.
    pub(crate) operators: Text<320>,
    pub(crate) delay: Duration,
    /// Whether reservations are taken over HTTP too.
    pub(crate) reservations: Option<Reservations>,
}

/// Who may reserve over HTTP: whoever has the token, or anybody.
pub(crate) struct Reservations(pub(crate) Option<Token>);

/// Runs the inventory until `shutdown` completes.
pub(crate) async fn run(
    shop: Shop,
    around: Surroundings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServiceError> {
    let topology = &around.topology;
    let settings = Settings {
        results: outlet(topology, NAME, EventType::InventoryReserved.as_str())?.name.to_string(),
        notifications: outlet(topology, NAME, EventType::SendNotification.as_str())?.name.to_string(),
        operators: shop.operators,
        announcer: Announcer::new(Arc::clone(&shop.judge)),
        delay: shop.delay,
        now: UnixMillis::now,
    };
    let options = in_one_lane(options(topology, NAME, &shop.judge, &Inventory::HANDLES)?);
    let catalog = shop.catalog;
    let begin = async move |store: &Store| {
        let opened = open_stock(store, &catalog).await?;
        if opened > 0 {
            tracing::info!("{opened} products have their opening stock");
        }
        Ok(())
    };
    let service = Service::new(NAME, MIGRATIONS, Wake::new());
    let routes = match shop.reservations {
        None => Router::new(),
        Some(Reservations(token)) => {
            let api = Api {
                inventory: Arc::new(Inventory::new(settings.clone(), Uuids)),
                judge: shop.judge,
                store: service.store(),
                wake: service.wake.clone(),
            };
            api::routes(api, token)
        }
    };
    let work = Work { routes, options, handler: Inventory::new(settings, Uuids), answers: true };
    service.run(around, work, begin, |_, _, _| {}, shutdown).await
}
