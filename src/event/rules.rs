//! What JSON Schema cannot state about our events.

use crate::schema::{Broken, Rule, Rules, Values};
use crate::unit::{Money, fixed, is_number, shown_money};

use super::items::SUM;
use super::kind::EventType;
use super::quantity::WHOLE;
use super::wire::AMOUNT;

/// The rules about our events, by type.
///
/// They look at the numbers' own texts: a schema's `multipleOf: 0.01` is judged in floating point,
/// where 19.99 is no multiple. What is missing or no number is the schema's business.
#[must_use]
pub fn rules() -> Rules {
    let rules: [(EventType, &[Rule]); 6] = [
        (EventType::OrderPlaced, &[MONEY, QUANTITY_ORDERED, TOTAL_AMOUNT]),
        (EventType::InventoryReserved, &[QUANTITY_RESERVED]),
        (EventType::CancelReservation, &[QUANTITY]),
        (EventType::ReservationCancelled, &[QUANTITY]),
        (EventType::RestoreReservation, &[QUANTITY]),
        (EventType::ReservationRestored, &[QUANTITY]),
    ];
    rules.into_iter().fold(Rules::none(), |all, (kind, rules)| all.with(kind.as_str(), rules.iter().copied()))
}

const MONEY: Rule = Rule { name: "money", reads: &["/items/*/unitPrice", "/totalAmount"], check: money };

/// A float can round a fraction away (`1.00000000000000001`); the schema sees floats.
const QUANTITY: Rule = Rule { name: "quantity", reads: &["/items/*/quantity"], check: quantity };

const QUANTITY_ORDERED: Rule = QUANTITY;

const QUANTITY_RESERVED: Rule = Rule { reads: &["/reservedItems/*/quantity"], ..QUANTITY };

const TOTAL_AMOUNT: Rule = Rule {
    name: "total-amount",
    reads: &["/totalAmount", "/items/*", "/items/*/quantity", "/items/*/unitPrice"],
    check: total_amount,
};

fn money(values: &Values<'_>) -> Vec<Broken> {
    let broken = |read| broken(values, read, |text| text.parse::<Money>().is_err(), AMOUNT);
    broken(0).chain(broken(1)).collect()
}

fn quantity(values: &Values<'_>) -> Vec<Broken> {
    broken(values, 0, |text| fixed(text, 0).is_err(), WHOLE).collect()
}

/// The numbers at a pointer that are wrong.
fn broken<'a>(
    values: &Values<'a>,
    read: usize,
    is_wrong: impl Fn(&str) -> bool + 'a,
    expected: &'static str,
) -> impl Iterator<Item = Broken> + 'a {
    let texts = values.texts(read).enumerate();
    texts.filter(move |(_, text)| is_number(text) && is_wrong(text)).map(move |(nth, _)| Broken {
        read,
        nth,
        expected: expected.to_owned(),
    })
}

fn total_amount(values: &Values<'_>) -> Vec<Broken> {
    match (stated(values), sum(values)) {
        (Some(stated), Some(sum)) if stated != sum => {
            vec![Broken { read: 0, nth: 0, expected: format!("{SUM}, {}", shown_money(sum)) }]
        }
        _ => Vec::new(),
    }
}

/// The stated total in cents.
fn stated(values: &Values<'_>) -> Option<i128> {
    let mut texts = values.texts(0);
    let stated = texts.next()?.parse::<Money>().ok()?;
    texts.next().is_none().then(|| i128::from(stated.cents()))
}

/// The sum of quantity times price in cents; `None` where something is missing or no such number.
///
/// A product is below 2^31 x 10^14, so that no document that fits into memory reaches `i128::MAX`.
fn sum(values: &Values<'_>) -> Option<i128> {
    let (quantities, prices) = (values.texts(2), values.texts(3));
    // An object has a field once, so that equal counts mean that no item lacks one.
    if quantities.len() != values.texts(1).len() || prices.len() != quantities.len() {
        return None;
    }
    quantities.zip(prices).try_fold(0, |sum, (quantity, price)| {
        let quantity = u32::try_from(fixed(quantity, 0).ok()?).ok()?;
        let price = price.parse::<Money>().ok()?;
        Some(sum + i128::from(quantity) * i128::from(price.cents()))
    })
}
