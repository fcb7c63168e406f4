//! Every order accounted for: what was taken is what is there, and the stock says so too. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::client::{Order, Product};

/// Orders that are named one by one.
const NAMED: usize = 5;

/// An order that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) id: String,
    pub(super) product: String,
}

/// How many orders stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OutcomeCounts {
    pub(crate) confirmed: u64,
    pub(crate) cancelled: u64,
    pub(crate) payment_failed: u64,
    /// Neither of these.
    pub(crate) other: u64,
}

/// What the orders came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) outcomes: OutcomeCounts,
    /// Pieces that became reserved.
    pub(crate) reserved: i64,
    /// What does not add up; empty: everything does.
    pub(crate) wrong: Vec<String>,
}

impl Account {
    /// `found`: orders of the load's customers. `before` and `after`: the stock. `unanswered`: orders of which nobody knows
    /// whether they were taken.
    pub(super) fn of(
        accepted: &[Accepted],
        unanswered: u64,
        found: &[Order],
        before: &[Product],
        after: &[Product],
    ) -> Self {
        let mut outcomes = OutcomeCounts::default();
        let mut wrong = Vec::new();
        let statuses: HashMap<&str, &str> =
            found.iter().map(|order| (order.id.as_str(), order.status.as_str())).collect();
        for status in statuses.values() {
            match *status {
                "CONFIRMED" => outcomes.confirmed += 1,
                "CANCELLED" => outcomes.cancelled += 1,
                "PAYMENT_FAILED" => outcomes.payment_failed += 1,
                _ => outcomes.other += 1,
            }
        }
        let pending: Vec<&str> =
            statuses.iter().filter(|(_, status)| **status == "PENDING").map(|(id, _)| *id).collect();
        complain(&mut wrong, "still PENDING", pending);
        let lost: Vec<&str> =
            accepted.iter().map(|order| order.id.as_str()).filter(|id| !statuses.contains_key(id)).collect();
        complain(&mut wrong, "taken, and not there", lost);
        let ours: HashSet<&str> = accepted.iter().map(|order| order.id.as_str()).collect();
        let strangers: Vec<&str> = statuses.keys().copied().filter(|id| !ours.contains(id)).collect();
        if strangers.len() as u64 > unanswered {
            complain(&mut wrong, "there, and never taken", strangers);
        }
        if ours.len() < accepted.len() {
            wrong.push(format!("{} orders have the id of another", accepted.len() - ours.len()));
        }
        let reserved = stock(accepted, &statuses, unanswered, (before, after), &mut wrong);
        Self { outcomes, reserved, wrong }
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.wrong.is_empty()
    }
}

fn complain(wrong: &mut Vec<String>, what: &str, mut ids: Vec<&str>) {
    if ids.is_empty() {
        return;
    }
    ids.sort_unstable();
    let more = if ids.len() > NAMED { ", …" } else { "" };
    wrong.push(format!("{} orders {what}: {}{more}", ids.len(), ids[..ids.len().min(NAMED)].join(", ")));
}

/// Holds what became reserved and what became unavailable against the orders that hold stock; the pieces reserved.
fn stock(
    accepted: &[Accepted],
    statuses: &HashMap<&str, &str>,
    unanswered: u64,
    (before, after): (&[Product], &[Product]),
    wrong: &mut Vec<String>,
) -> i64 {
    let mut held: BTreeMap<&str, i64> = BTreeMap::new();
    for order in accepted {
        let holds = matches!(statuses.get(order.id.as_str()), Some(&"CONFIRMED" | &"PAYMENT_FAILED"));
        *held.entry(order.product.as_str()).or_default() += i64::from(holds);
    }
    let level = |of: &[Product], product: &str| {
        let found = of.iter().find(|one| one.id == product)?;
        Some((i64::try_from(found.available?).ok()?, i64::try_from(found.reserved?).ok()?))
    };
    let mut sum = 0;
    for (product, held) in held {
        let (Some(was), Some(is)) = (level(before, product), level(after, product)) else {
            wrong.push(format!("the stock of {product} is not known"));
            continue;
        };
        let (taken, reserved) = (was.0 - is.0, is.1 - was.1);
        sum += reserved;
        // An order without an answer may have been taken.
        let fits = |pieces: i64| {
            (held..=held + i64::try_from(unanswered).unwrap_or(i64::MAX - held)).contains(&pieces)
        };
        if taken != reserved || !fits(reserved) {
            wrong.push(format!(
                "{product}: orders hold {held} pieces; {reserved} became reserved, {taken} became unavailable"
            ));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(id: &str, product: &str) -> Accepted {
        Accepted { id: id.to_owned(), product: product.to_owned() }
    }

    fn order(id: &str, status: &str) -> Order {
        Order { id: id.to_owned(), status: status.to_owned() }
    }

    fn product(id: &str, available: u64, reserved: u64) -> Product {
        Product { id: id.to_owned(), available: Some(available), reserved: Some(reserved) }
    }

    fn ledger() -> (Vec<Accepted>, Vec<Order>, Vec<Product>, Vec<Product>) {
        (
            vec![accepted("1", "A"), accepted("2", "A"), accepted("3", "S")],
            vec![order("1", "CONFIRMED"), order("2", "PAYMENT_FAILED"), order("3", "CANCELLED")],
            vec![product("A", 100, 7), product("S", 0, 0)],
            vec![product("A", 98, 9), product("S", 0, 0)],
        )
    }

    #[test]
    fn an_account_in_which_everything_adds_up_is_exact() {
        let (accepted, found, before, after) = ledger();
        let account = Account::of(&accepted, 0, &found, &before, &after);
        assert!(account.is_exact(), "{account:?}");
        assert_eq!(
            (account.outcomes.confirmed, account.outcomes.cancelled, account.outcomes.payment_failed),
            (1, 1, 1)
        );
        assert_eq!(account.reserved, 2);
    }

    type Damage<'d> = &'d dyn Fn(&mut Vec<Accepted>, &mut Vec<Order>, &mut Vec<Product>);

    #[test]
    fn whatever_does_not_add_up_is_said() {
        let said = |change: Damage<'_>, unanswered| {
            let (mut accepted, mut found, before, mut after) = ledger();
            change(&mut accepted, &mut found, &mut after);
            Account::of(&accepted, unanswered, &found, &before, &after).wrong.join("; ")
        };
        assert_eq!(said(&|_, found, _| found[2].status = "PENDING".into(), 0), "1 orders still PENDING: 3");
        assert_eq!(said(&|_, found, _| drop(found.remove(2)), 0), "1 orders taken, and not there: 3");
        assert_eq!(
            said(&|_, found, _| found.push(order("9", "CANCELLED")), 0),
            "1 orders there, and never taken: 9"
        );
        assert_eq!(said(&|_, found, _| found.push(order("9", "CANCELLED")), 1), "");
        assert_eq!(
            said(&|accepted, _, _| accepted.push(accepted[2].clone()), 0),
            "1 orders have the id of another"
        );
        assert_eq!(
            said(&|_, _, after| after[0] = product("A", 98, 8), 0),
            "A: orders hold 2 pieces; 1 became reserved, 2 became unavailable"
        );
        assert_eq!(
            said(&|_, _, after| after[0] = product("A", 97, 10), 0),
            "A: orders hold 2 pieces; 3 became reserved, 3 became unavailable"
        );
        assert_eq!(said(&|_, _, after| after[0] = product("A", 97, 10), 1), "");
        assert_eq!(said(&|_, _, after| drop(after.remove(0)), 0), "the stock of A is not known");
    }
}
