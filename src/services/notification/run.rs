//! The notification service at work.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use super::notifier::{Notifier, Providers};
use super::provider::Sender;
use super::templates::Templates;
use super::{MIGRATIONS, NAME};
use crate::event::EventType;
use crate::runtime::Outside;
use crate::runtime::consumer::Options;
use crate::runtime::relay::Wake;
use crate::runtime::service::{Service, ServiceError, Surroundings, Work};
use crate::schema::Judge;
use crate::services::consume::{in_one_lane, options};

/// What the service is started with.
pub(crate) struct Office {
    /// Judges events by their type.
    pub(crate) judge: Arc<Judge>,
    pub(crate) templates: Templates,
    pub(crate) providers: Providers,
    /// Letters of one batch, and how long one that is not full waits for more.
    pub(crate) batch: usize,
    pub(crate) linger: Duration,
}

/// Runs the service until `shutdown` completes.
pub(crate) async fn run(
    office: Office,
    around: Surroundings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServiceError> {
    let options = options(&around.topology, NAME, &office.judge, &[EventType::SendNotification])?;
    let options = Options { batch: office.batch, linger: office.linger, ..in_one_lane(options) };
    let service = Service::new(NAME, MIGRATIONS, Wake::new());
    let sender = Sender { health: service.health.clone(), ending: service.ending() };
    let notifier = Notifier::new(office.templates, office.providers, sender);
    let work = Work { routes: Router::new(), options, handler: Outside(notifier), answers: false };
    service.run(around, work, async |_| Ok(()), |_, _, _| {}, shutdown).await
}
