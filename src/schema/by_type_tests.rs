use std::fmt::Write as _;

use super::*;

fn schemas() -> ByType {
    let schema = |event: &str| {
        let text = format!(
            r#"{{"type": "object", "required": ["eventType", "orderId"],
                "properties": {{"eventType": {{"const": "{event}"}}, "orderId": {{"type": "string", "minLength": 1}}}}}}"#
        );
        Schema::compile(text.as_bytes()).unwrap()
    };
    ByType::new().with("OrderPlaced", schema("OrderPlaced")).with("OrderLost", schema("OrderLost"))
}

fn said(judge: &Judge, documents: &[&str]) -> String {
    documents.iter().fold(String::new(), |mut all, document| {
        writeln!(all, "{document}").unwrap();
        let violations = judge.violations(document.as_bytes());
        assert_eq!(judge.is_valid(document.as_bytes()), violations.is_empty());
        for violation in violations {
            let help = violation.help.clone().unwrap_or_default();
            writeln!(all, "  {violation} at {:?}. {help}", &document[violation.place.clone()]).unwrap();
        }
        all
    })
}

#[test]
fn an_event_is_judged_by_the_schema_of_its_type() {
    let documents = [
        r#"{"eventType": "OrderPlaced", "orderId": "O"}"#,
        r#"{"orderId": "O", "x": {"eventType": [1, "}"]}, "eventType": "OrderLost"}"#,
        r#"{"eventType": "OrderPlaced"}"#,
        r#"{"eventType": "OrderPlacd"}"#,
        r#"{"eventType": "Shipped"}"#,
        r#"{"eventType": 5}"#,
        r#"{"eventtype": "OrderPlaced", "orderId": "O"}"#,
        r#"{"a": 1}"#,
        "[]",
        "12",
    ];
    insta::assert_snapshot!(said(&Judge::by_type(schemas()), &documents));
}

#[test]
fn a_type_that_was_named_holds_whatever_the_event_says() {
    let judge = Judge::as_type(schemas(), "OrderLost");
    let documents =
        [r#"{"eventType": "OrderLost", "orderId": "O"}"#, r#"{"eventType": "OrderPlaced", "orderId": "O"}"#];
    insta::assert_snapshot!(said(&judge, &documents));
}

#[test]
fn a_topic_carries_its_events_and_their_key() {
    let carries = |key: &str| Carries {
        topic: "shop.orders".to_owned(),
        events: vec!["OrderPlaced".to_owned()],
        key: Some(key.to_owned()),
    };
    let documents = [
        r#"{"eventType": "OrderPlaced", "orderId": "O", "shop": "S"}"#,
        r#"{"eventType": "OrderLost", "orderId": "O", "shop": "S"}"#,
        r#"{"eventType": "OrderPlaced", "shop": "S"}"#,
        r#"{"eventType": "OrderPlaced", "orderId": ""}"#,
        r#"{"eventType": "OrderPlaced", "orderId": "O", "shop": 3}"#,
    ];
    let by_order = said(&Judge::by_type(schemas()).carried_by(carries("orderId")), &documents);
    let by_shop = said(&Judge::by_type(schemas()).carried_by(carries("shop")), &documents);
    insta::assert_snapshot!(format!("key orderId\n\n{by_order}\nkey shop\n\n{by_shop}"));
}
