//! What orders make of what they hear: changes, and the word to the customer. Pure.

use std::collections::HashMap;

use super::placing::Contact;
use super::state::{Came, Happened, Standing, Status, next};
use super::store::{Change, Held};
use crate::event::{
    Channel, CustomerId, EventId, Fields, OrderId, SendNotification, Text, TextError, Timestamp,
};
use crate::unit::{Money, UnixMillis};

/// Something that an order hears, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) order: OrderId,
    pub(crate) happened: Happened,
    pub(crate) event_id: Option<String>,
    /// topic/partition/offset.
    pub(crate) place: Option<String>,
    pub(crate) traceparent: Option<String>,
}

/// What follows from it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consequences {
    pub(crate) changes: Vec<Change>,
    /// One for each outcome of an order, with the trace that it belongs to.
    pub(crate) notices: Vec<(SendNotification, Option<String>)>,
}

/// What orders make of what they hear, in this order. Each order must be held. `new_id` makes ids of events.
pub(crate) fn hear(
    held: &mut HashMap<String, Held>,
    heard: Vec<Heard>,
    capture: bool,
    now: UnixMillis,
    mut new_id: impl FnMut() -> EventId,
) -> Result<Consequences, TextError> {
    let mut consequences = Consequences::default();
    for one in heard {
        let Some(order) = held.get_mut(one.order.as_str()) else { continue };
        let came = next(&order.standing, &one.happened);
        order.version += 1;
        let (ignored, moved) = match came {
            Came::Ignored(why) => (Some(why), None),
            Came::Moved(standing) => (None, Some(standing)),
        };
        let confirmed = matches!(&moved, Some(to) if to.status == Status::Confirmed && order.standing.status == Status::Pending);
        if let Some(to) = moved {
            let from = std::mem::replace(&mut order.standing, to);
            if from.status != order.standing.status {
                let notice = notice(&one.order, order, new_id(), now)?;
                consequences.notices.extend(notice.map(|notice| (notice, one.traceparent.clone())));
            }
        }
        consequences.changes.push(Change {
            order: one.order.as_str().to_owned(),
            version: order.version,
            standing: order.standing.clone(),
            kind: one.happened.kind(),
            ignored,
            reason: reason(&one.happened),
            event_id: one.event_id,
            place: one.place,
            at: now,
            capture: (capture && confirmed).then_some(order.total),
            traceparent: one.traceparent,
        });
    }
    Ok(consequences)
}

fn reason(happened: &Happened) -> Option<String> {
    match happened {
        Happened::NotReserved { reason } | Happened::Declined { reason } | Happened::Lost { reason } => {
            Some(reason.clone())
        }
        _ => None,
    }
}

/// The word to the customer about where the order stands now, if that is an outcome.
fn notice(
    order: &OrderId,
    held: &Held,
    id: EventId,
    now: UnixMillis,
) -> Result<Option<SendNotification>, TextError> {
    let template = match held.standing.status {
        Status::Confirmed => "order-confirmed",
        Status::Cancelled => "order-cancelled",
        Status::PaymentFailed => "payment-failed",
        _ => return Ok(None),
    };
    let (channel, to) = address(&held.contact, &held.customer);
    Ok(Some(SendNotification {
        event_id: id,
        order_id: order.clone(),
        timestamp: Timestamp::from_unix_millis(now.0).map_err(|_| TextError::Empty)?,
        customer_id: CustomerId::new(held.customer.as_str()).ok(),
        channel,
        to: Text::new(to)?,
        template: Text::new(template)?,
        parameters: parameters(order, &held.standing, held.total),
        extra: Fields::new(),
    }))
}

/// Mail before telephone. Who left neither is named by the customer's id, which no provider takes for an address.
fn address(contact: &Contact, customer: &str) -> (Channel, String) {
    match (&contact.email, &contact.phone) {
        (Some(email), _) => (Channel::Email, email.clone()),
        (None, Some(phone)) => (Channel::Sms, phone.clone()),
        (None, None) => (Channel::Email, customer.to_owned()),
    }
}

fn parameters(order: &OrderId, standing: &Standing, total: Money) -> Fields {
    let mut parameters = Fields::new();
    let mut set = |name: &str, value: &str| {
        // A text has a form in JSON.
        let _ = parameters.set(name, value);
    };
    set("orderId", order.as_str());
    set("totalAmount", &total.to_string());
    if let Some(reservation) = &standing.reservation {
        set("reservationId", reservation.as_str());
    }
    if let Some(reason) = &standing.reason {
        set("reason", reason);
    }
    parameters
}
