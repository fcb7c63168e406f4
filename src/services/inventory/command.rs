//! What the inventory is asked to do.

use crate::event::{
    CancelReservation, Event, EventType, Extent, OrderId, OrderPlaced, ProductId, RestoreReservation, SagaId,
};

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Place(OrderPlaced),
    Cancel(CancelReservation),
    Restore(RestoreReservation),
}

/// Why an event is no command that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoCommand {
    #[error("the inventory has nothing to do with {0}")]
    OtherEvent(EventType),
    #[error("the id {0:?} holds a NUL character, which no database takes")]
    Unstorable(String),
}

impl TryFrom<Event> for Command {
    type Error = NoCommand;

    fn try_from(event: Event) -> Result<Self, NoCommand> {
        let command = match event {
            Event::OrderPlaced(order) => Self::Place(order),
            Event::CancelReservation(command) => Self::Cancel(command),
            Event::RestoreReservation(command) => Self::Restore(command),
            other => return Err(NoCommand::OtherEvent(other.event_type())),
        };
        let nul = command.ids().find(|id| id.contains('\0')).map(str::to_owned);
        nul.map_or(Ok(command), |id| Err(NoCommand::Unstorable(id)))
    }
}

impl Command {
    pub(crate) fn order_id(&self) -> &OrderId {
        match self {
            Self::Place(order) => &order.order_id,
            Self::Cancel(command) => &command.order_id,
            Self::Restore(command) => &command.order_id,
        }
    }

    /// The products that it names.
    pub(crate) fn products(&self) -> Vec<&ProductId> {
        match self {
            Self::Place(order) => order.items.iter().map(|item| &item.product_id).collect(),
            Self::Cancel(CancelReservation { items: Extent::Everything, .. }) => Vec::new(),
            Self::Cancel(CancelReservation { items: Extent::Items(items), .. })
            | Self::Restore(RestoreReservation { items, .. }) => {
                items.iter().map(|item| &item.product_id).collect()
            }
        }
    }

    fn saga_id(&self) -> Option<&SagaId> {
        match self {
            Self::Place(_) => None,
            Self::Cancel(command) => Some(&command.saga_id),
            Self::Restore(command) => Some(&command.saga_id),
        }
    }

    /// Every id that is kept.
    fn ids(&self) -> impl Iterator<Item = &str> {
        let of_saga = self.saga_id().map(SagaId::as_str);
        let of_products = self.products().into_iter().map(ProductId::as_str);
        std::iter::once(self.order_id().as_str()).chain(of_saga).chain(of_products)
    }
}
