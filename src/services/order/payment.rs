//! The port to whoever takes the customers' money.

use std::sync::Arc;

use crate::unit::Money;

/// What is asked of a provider. Asked again with the same key, it answers the same and takes nothing twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) key: String,
    pub(crate) order: String,
    pub(crate) amount: Money,
}

/// What a provider says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Captured,
    /// For good.
    Declined {
        reason: String,
    },
    /// Nobody knows whether it was captured: it is asked again.
    Unknown {
        reason: String,
    },
}

/// A payment provider.
pub(crate) trait Payments: Send + Sync + 'static {
    fn capture(&self, charge: Charge) -> impl Future<Output = Answer> + Send;
}

impl<P: Payments> Payments for Arc<P> {
    async fn capture(&self, charge: Charge) -> Answer {
        P::capture(self, charge).await
    }
}
