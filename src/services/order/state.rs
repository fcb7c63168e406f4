//! The states of an order and what moves it from one to the next. Pure.

use std::fmt;
use std::str::FromStr;

use crate::event::ReservationId;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    /// Accepted; nobody knows yet whether there is stock.
    Pending,
    /// Stock is reserved.
    Confirmed,
    /// Nothing is held, nothing is owed.
    Cancelled,
    /// Stock is reserved, and the payment was declined.
    PaymentFailed,
    Refunding,
    Refunded,
    PartiallyRefunded,
}

impl Status {
    pub(crate) const ALL: [Self; 7] = [
        Self::Pending,
        Self::Confirmed,
        Self::Cancelled,
        Self::PaymentFailed,
        Self::Refunding,
        Self::Refunded,
        Self::PartiallyRefunded,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::PaymentFailed => "PAYMENT_FAILED",
            Self::Refunding => "REFUNDING",
            Self::Refunded => "REFUNDED",
            Self::PartiallyRefunded => "PARTIALLY_REFUNDED",
        }
    }

    /// Whether nothing follows. A confirmed order may be refunded one day.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Cancelled | Self::Refunded | Self::PartiallyRefunded)
    }

    /// What a customer reads.
    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Pending => "Your order is being confirmed. This usually takes a few seconds.",
            Self::Confirmed => "Your order is confirmed.",
            Self::Cancelled => "Your order was cancelled.",
            Self::PaymentFailed => "The payment for your order was declined.",
            Self::Refunding => "Your order is being refunded.",
            Self::Refunded => "Your order was refunded.",
            Self::PartiallyRefunded => "A part of your order was refunded.",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no status.
#[derive(Debug, thiserror::Error)]
#[error("no status of an order: {0:?}")]
pub(crate) struct NoStatus(String);

impl FromStr for Status {
    type Err = NoStatus;

    fn from_str(text: &str) -> Result<Self, NoStatus> {
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or_else(|| NoStatus(text.to_owned()))
    }
}

/// What an order hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Reserved(ReservationId),
    NotReserved {
        reason: String,
    },
    ReservationCancelled,
    ReservationRestored,
    Captured,
    Declined {
        reason: String,
    },
    /// The broker that had its record is gone, with the record.
    Lost {
        reason: String,
    },
}

impl Happened {
    /// As the timeline calls it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Reserved(_) => "inventory-reserved",
            Self::NotReserved { .. } => "inventory-failed",
            Self::ReservationCancelled => "reservation-cancelled",
            Self::ReservationRestored => "reservation-restored",
            Self::Captured => "payment-captured",
            Self::Declined { .. } => "payment-declined",
            Self::Lost { .. } => "record-lost",
        }
    }
}

/// What an order is, as far as states are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) status: Status,
    pub(crate) reservation: Option<ReservationId>,
    pub(crate) reason: Option<String>,
    pub(crate) paid: bool,
}

impl Standing {
    /// Of an order that was just placed.
    pub(crate) const PLACED: Self =
        Self { status: Status::Pending, reservation: None, reason: None, paid: false };
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The order stands so now.
    Moved(Standing),
    /// Late, repeated or against the rules: recorded, and nothing else.
    Ignored(&'static str),
}

/// Where an order goes from where it stands.
pub(crate) fn next(standing: &Standing, happened: &Happened) -> Came {
    use Status::{Cancelled, Confirmed, PaymentFailed, Pending};
    let to = |status| Standing { status, ..standing.clone() };
    match (standing.status, happened) {
        (Pending, Happened::Reserved(reservation)) => {
            Came::Moved(Standing { reservation: Some(reservation.clone()), ..to(Confirmed) })
        }
        (Pending, Happened::NotReserved { reason } | Happened::Lost { reason }) => {
            Came::Moved(Standing { reason: Some(reason.clone()), ..to(Cancelled) })
        }
        (Confirmed, Happened::Captured) if !standing.paid => {
            Came::Moved(Standing { paid: true, ..standing.clone() })
        }
        (Confirmed, Happened::Declined { reason }) if !standing.paid => {
            Came::Moved(Standing { reason: Some(reason.clone()), ..to(PaymentFailed) })
        }
        (_, Happened::Reserved(again)) if standing.reservation.as_ref() == Some(again) => {
            Came::Ignored("this reservation is known")
        }
        (_, Happened::Reserved(_)) if standing.reservation.is_some() => {
            Came::Ignored("the order has another reservation")
        }
        (_, Happened::Reserved(_) | Happened::NotReserved { .. } | Happened::Lost { .. }) => {
            Came::Ignored("the order waits for no stock any more")
        }
        (Pending, Happened::Captured | Happened::Declined { .. }) => {
            Came::Ignored("the order is not confirmed yet")
        }
        (_, Happened::Captured | Happened::Declined { .. }) => {
            Came::Ignored("the order waits for no payment any more")
        }
        (Cancelled, Happened::ReservationCancelled) => Came::Ignored("the order is cancelled already"),
        (_, Happened::ReservationCancelled | Happened::ReservationRestored) => {
            Came::Ignored("nobody asked for it")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reservation(id: &str) -> ReservationId {
        ReservationId::new(id).unwrap()
    }

    fn all() -> [Happened; 7] {
        let reason = || "Insufficient stock for PROD-101".to_owned();
        [
            Happened::Reserved(reservation("RES-1")),
            Happened::NotReserved { reason: reason() },
            Happened::ReservationCancelled,
            Happened::ReservationRestored,
            Happened::Captured,
            Happened::Declined { reason: reason() },
            Happened::Lost { reason: reason() },
        ]
    }

    fn standing(status: Status) -> Standing {
        Standing { status, ..Standing::PLACED }
    }

    #[test]
    fn an_order_moves_as_the_design_draws_it_and_no_other_way() {
        let mut moves = Vec::new();
        for status in Status::ALL {
            for happened in all() {
                if let Came::Moved(to) = next(&standing(status), &happened) {
                    moves.push(format!("{status} + {} -> {}", happened.kind(), to.status));
                }
            }
        }
        assert_eq!(
            moves,
            [
                "PENDING + inventory-reserved -> CONFIRMED",
                "PENDING + inventory-failed -> CANCELLED",
                "PENDING + record-lost -> CANCELLED",
                "CONFIRMED + payment-captured -> CONFIRMED",
                "CONFIRMED + payment-declined -> PAYMENT_FAILED",
            ]
        );
    }

    #[test]
    fn what_comes_again_changes_nothing() {
        for happened in all() {
            for status in Status::ALL {
                let Came::Moved(moved) = next(&standing(status), &happened) else { continue };
                assert!(matches!(next(&moved, &happened), Came::Ignored(_)), "{happened:?} at {status}");
            }
        }
    }

    #[test]
    fn nothing_leaves_a_final_state() {
        for status in Status::ALL.into_iter().filter(|status| status.is_final()) {
            for happened in all() {
                assert!(matches!(next(&standing(status), &happened), Came::Ignored(_)));
            }
        }
    }

    #[test]
    fn a_second_reservation_is_told_from_the_same_one() {
        let Came::Moved(confirmed) = next(&Standing::PLACED, &Happened::Reserved(reservation("RES-1")))
        else {
            panic!("confirmed");
        };
        let ignored = |id| next(&confirmed, &Happened::Reserved(reservation(id)));
        assert_eq!(ignored("RES-1"), Came::Ignored("this reservation is known"));
        assert_eq!(ignored("RES-2"), Came::Ignored("the order has another reservation"));
    }

    #[test]
    fn a_status_is_read_as_it_is_written() {
        for status in Status::ALL {
            assert_eq!(status.name().parse::<Status>().unwrap(), status);
        }
        assert!("pending".parse::<Status>().is_err());
    }
}
