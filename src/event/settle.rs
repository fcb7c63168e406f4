//! What the rules demand of a document that somebody made up.

use serde_json::Value;

use super::kind::EventType;
use crate::unit::{Money, fixed, shown_money};

/// Sets what follows from other fields, where they are as they have to be.
pub(crate) fn settle(event: &str, document: &mut Value) {
    if event == EventType::OrderPlaced.as_str()
        && let Some(total) = total(document)
        && let Some(stated) = document.get_mut("totalAmount")
    {
        *stated = total;
    }
}

/// The sum of quantity times price.
fn total(order: &Value) -> Option<Value> {
    let cents = order.get("items")?.as_array()?.iter().try_fold(0, |sum, item| {
        let quantity = fixed(&item.get("quantity")?.to_string(), 0).ok()?;
        let price: Money = item.get("unitPrice")?.to_string().parse().ok()?;
        Some(sum + i128::from(quantity) * i128::from(price.cents()))
    })?;
    serde_json::from_str(&shown_money(cents)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_total_is_the_sum_of_its_items() {
        let mut order = json!({
            "items": [{ "quantity": 2, "unitPrice": 49.99 }, { "quantity": 1, "unitPrice": 19.95 }],
            "totalAmount": 0,
        });
        settle("OrderPlaced", &mut order);
        assert_eq!(order["totalAmount"].to_string(), "119.93");
        for mut other in
            [json!({}), json!({ "items": [{}], "totalAmount": 1 }), json!({ "items": 1 }), json!(7)]
        {
            let before = other.clone();
            settle("OrderPlaced", &mut other);
            assert_eq!(other, before);
        }
        let mut other = order.clone();
        other["totalAmount"] = json!(1);
        settle("InventoryReserved", &mut other);
        assert_eq!(other["totalAmount"], 1);
    }
}
