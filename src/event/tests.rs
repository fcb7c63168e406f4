use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::value::RawValue;

use super::samples::{documents, schema};
use super::*;
use crate::schema::Values;
use crate::unit::Money;

fn judge(kind: EventType) -> &'static Validator {
    static JUDGES: LazyLock<BTreeMap<EventType, Validator>> = LazyLock::new(|| {
        let judge = |kind: &EventType| {
            jsonschema::options().should_validate_formats(true).build(&schema(*kind)).unwrap()
        };
        EventType::ALL.iter().map(|kind| (*kind, judge(kind))).collect()
    });
    &JUDGES[&kind]
}

/// What the rules say about a document, by name.
fn broken(kind: EventType, document: &str) -> Vec<(&'static str, usize, usize, String)> {
    let rules = rules();
    let broken = rules.of(kind.as_str()).iter().flat_map(|rule| {
        let places: Vec<_> = rule.reads.iter().map(|pointer| places(document, pointer)).collect();
        let found = (rule.check)(&Values::new(document, &places));
        found.into_iter().map(|broken| (rule.name, broken.read, broken.nth, broken.expected))
    });
    broken.collect()
}

/// Where the values at a pointer with stars stand.
fn places(document: &str, pointer: &str) -> Vec<(u32, u32)> {
    let root: &RawValue = serde_json::from_str(document).unwrap();
    let mut found = vec![root];
    for step in pointer.split('/').skip(1) {
        found = found.into_iter().flat_map(|raw| inside(raw, step)).collect();
    }
    let at = |text: &str| u32::try_from(text.as_ptr().addr() - document.as_ptr().addr()).unwrap();
    let place = |raw: &&RawValue| {
        let start = at(raw.get());
        (start, start + u32::try_from(raw.get().len()).unwrap())
    };
    found.iter().map(place).collect()
}

fn inside<'a>(raw: &'a RawValue, step: &str) -> Vec<&'a RawValue> {
    if step == "*" {
        return serde_json::from_str(raw.get()).unwrap_or_default();
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    members.get(step).copied().into_iter().collect()
}

fn is_accepted(kind: EventType, document: &str) -> bool {
    let value: Value = serde_json::from_str(document).unwrap();
    judge(kind).is_valid(&value) && broken(kind, document).is_empty()
}

/// A JSON value whose numbers are exact: sign, digits without zeros at the ends, exponent.
#[derive(Debug, PartialEq)]
enum Exact {
    Null,
    Bool(bool),
    Number(bool, String, i64),
    String(String),
    Array(Vec<Exact>),
    Object(BTreeMap<String, Exact>),
}

fn exact(text: &str) -> Exact {
    match text.as_bytes()[0] {
        b'n' => Exact::Null,
        b't' | b'f' => Exact::Bool(text == "true"),
        b'"' => Exact::String(serde_json::from_str(text).unwrap()),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap();
            Exact::Array(items.into_iter().map(|item| exact(item.get())).collect())
        }
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
            Exact::Object(members.into_iter().map(|(name, value)| (name, exact(value.get()))).collect())
        }
        _ => exact_number(text),
    }
}

fn exact_number(text: &str) -> Exact {
    let lower = text.to_ascii_lowercase();
    let (digits, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Exact::Number(false, String::new(), 0);
    }
    let zeros = i64::try_from(digits.len() - significant.len()).unwrap();
    let exponent = exponent.parse::<i64>().unwrap() - i64::try_from(fraction.len()).unwrap() + zeros;
    Exact::Number(negative, significant.trim_start_matches('0').to_owned(), exponent)
}

#[test]
fn the_examples_of_every_schema_are_read_and_written_again_byte_for_byte() {
    for kind in EventType::ALL.iter().copied() {
        jsonschema::meta::validate(&schema(kind)).unwrap();
        // With the fields in the schema's order, which a `Value` does not keep.
        let ordered: BTreeMap<String, &RawValue> = serde_json::from_str(samples::schema_text(kind)).unwrap();
        let examples: Vec<&RawValue> = serde_json::from_str(ordered["examples"].get()).unwrap();
        assert!(!examples.is_empty(), "{kind}");
        for example in examples {
            let text = compact(example.get());
            assert!(is_accepted(kind, &text), "{text}");
            let event = Event::from_json(text.as_bytes()).unwrap();
            assert_eq!((event.event_type(), event.to_json()), (kind, text));
        }
    }
}

/// JSON without the blanks between its values.
fn compact(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = text.chars().filter(|c| {
        let keep = quoted || !c.is_whitespace();
        quoted ^= *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        keep
    });
    kept.collect()
}

#[test]
fn the_designs_own_examples_are_the_schemas_examples() {
    for (kind, design) in [
        (EventType::OrderPlaced, include_str!("../../tests/fixtures/events/OrderPlaced.json")),
        (EventType::InventoryReserved, include_str!("../../tests/fixtures/events/InventoryReserved.json")),
        (EventType::InventoryFailed, include_str!("../../tests/fixtures/events/InventoryFailed.json")),
    ] {
        let example = schema(kind)["examples"][0].to_string();
        assert_eq!(exact(design), exact(&example), "{kind}");
        assert!(is_accepted(kind, design), "{kind}");
        let event = Event::from_json(design.as_bytes()).unwrap();
        assert_eq!(exact(&event.to_json()), exact(design), "{kind}");
    }
}

#[test]
fn an_order_is_made_of_typed_parts() {
    let item = |product: &str, quantity, cents| PricedItem {
        product_id: ProductId::new(product).unwrap(),
        quantity: Quantity::new(quantity).unwrap(),
        unit_price: Money::from_cents(cents).unwrap(),
        extra: Fields::new(),
    };
    let line = |text| Text::new(text).unwrap();
    let placed = OrderPlaced {
        event_id: EventId::new("evt-a3f2c1d9").unwrap(),
        order_id: OrderId::new("ORD-999").unwrap(),
        customer_id: CustomerId::new("CUST-42").unwrap(),
        timestamp: Timestamp::new("2024-09-01T10:15:30Z").unwrap(),
        items: PricedItems::new(vec![item("PROD-101", 2, 4_999), item("PROD-205", 1, 1_995)]).unwrap(),
        shipping_address: ShippingAddress {
            street: line("123 Main St"),
            city: line("Austin"),
            state: line("TX"),
            zip: line("78701"),
            extra: Fields::new(),
        },
        extra: Fields::new(),
    };
    assert_eq!(placed.items.total().to_string(), "119.93");
    let design = include_str!("../../tests/fixtures/events/OrderPlaced.json");
    assert_eq!(Event::from_json(design.as_bytes()).unwrap(), Event::from(placed.clone()));
    assert_eq!(serde_json::from_str::<OrderPlaced>(design).unwrap(), placed);
}

#[test]
fn what_is_no_event_is_refused_with_field_and_expectation() {
    let reserved = include_str!("../../tests/fixtures/events/InventoryReserved.json");
    let failed = include_str!("../../tests/fixtures/events/InventoryFailed.json");
    let placed = include_str!("../../tests/fixtures/events/OrderPlaced.json");
    for (document, message) in [
        ("", "not JSON: EOF while parsing a value at line 1 column 0"),
        ("{} {}", "not JSON: trailing characters at line 1 column 4"),
        ("[]", "the event is `[]`, expected an object"),
        ("{}", "`/eventType` is missing, expected the name of a type of event"),
        (r#"{"eventType":7}"#, "`/eventType` is `7`, expected the name of a type of event"),
        (r#"{"eventType":"OrderPlaced"}"#, "`/eventId` is missing, expected a value"),
        (r#"{"a":1,"a":2,"eventType":"OrderPlaced"}"#, "`/a` is `2`, expected it once"),
        (
            &reserved.replace("\"quantity\": 1", "\"quantity\": 0"),
            "`/reservedItems/1/quantity` is `0`, expected a whole number from 1 to 2147483647",
        ),
        (
            &reserved.replace("RES-4471", ""),
            "`/reservationId` is `\"\"`, expected a text of 1 to 128 characters",
        ),
        (&reserved.replace("\"RESERVED\"", "\"FAILED\""), "`/status` is `\"FAILED\"`, expected \"RESERVED\""),
        (&reserved.replace("null", "\"none\""), "`/failureReason` is `\"none\"`, expected null"),
        (
            &failed.replace("[]", "[], \"reservationId\": null"),
            "`/reservationId` is `null`, expected no such field",
        ),
        (&failed.replace("[]", "[0]"), "`/reservedItems` is `[0]`, expected an empty array"),
        (
            &failed.replace("10:15", "25:15"),
            "`/timestamp` is `\"2024-09-01T25:15:31Z\"`, expected a timestamp of RFC 3339, like 2024-09-01T10:15:30Z",
        ),
        (
            &placed.replace("119.93", "119.94"),
            "`/totalAmount` is `119.94`, expected the sum of quantity times unitPrice, 119.93",
        ),
        (
            &placed.replace("19.95", "19.955"),
            "`/items/1/unitPrice` is `19.955`, expected an amount of at most two decimals, from 0 to 1000000000000",
        ),
        (
            &placed.replace("78701\"", "78701\", \"zip\": \"\\u001b[31m\""),
            "`/shippingAddress/zip` is `\"\\u001b[31m\"`, expected it once",
        ),
    ] {
        let error = Event::from_json(document.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), message, "{document}");
    }
    let error = Event::from_json(br#"{"eventType":"OrderShipped"}"#).unwrap_err();
    assert!(error.to_string().starts_with("`OrderShipped` is no type of event; there are `OrderPlaced`, "));
    let field = EventError::Field(FieldError {
        pointer: "/status".to_owned(),
        expected: "\"FAILED\"".to_owned(),
        found: None,
    });
    assert_eq!(Event::from_json(failed.replace("status", "state").as_bytes()), Err(field));
}

#[test]
fn rules_speak_only_about_numbers_that_are_there() {
    let total = |expected: &str| {
        vec![("total-amount", 0, 0, format!("the sum of quantity times unitPrice, {expected}"))]
    };
    let amount = "an amount of at most two decimals, from 0 to 1000000000000".to_owned();
    let whole = "a whole number from 1 to 2147483647".to_owned();
    for (document, expected) in [
        (r#"{"items":[{"quantity":3,"unitPrice":0.1}],"totalAmount":0.3}"#, vec![]),
        (
            r#"{"items":[{"quantity":3,"unitPrice":0.1}],"totalAmount":0.30000000000000004}"#,
            vec![("money", 1, 0, amount.clone())],
        ),
        (
            r#"{"items":[{"quantity":2,"unitPrice":49.99},{"unitPrice":19.95,"quantity":1.0}],"totalAmount":119.9}"#,
            total("119.93"),
        ),
        (r#"{"items":[],"totalAmount":1}"#, total("0")),
        (
            r#"{"items":[{"quantity":2147483647,"unitPrice":1e12},{"quantity":2147483647,"unitPrice":1e12}],"totalAmount":0}"#,
            total("4294967294000000000000"),
        ),
        (
            r#"{"items":[{"quantity":1.00000000000000001,"unitPrice":1},{"quantity":1,"unitPrice":-0.01}],"totalAmount":2}"#,
            vec![("money", 0, 1, amount.clone()), ("quantity", 0, 0, whole)],
        ),
        (r#"{"items":[{"quantity":1},{"unitPrice":7}],"totalAmount":2}"#, vec![]),
        (r#"{"items":[{"quantity":"1","unitPrice":7}],"totalAmount":2}"#, vec![]),
        (r#"{"items":[{"quantity":-1,"unitPrice":7}],"totalAmount":2}"#, vec![]),
        (r#"{"items":[{"quantity":1,"unitPrice":"7"}],"totalAmount":2}"#, vec![]),
        (r#"{"items":[{"quantity":1,"unitPrice":7}]}"#, vec![]),
        (r#"{"items":[{"quantity":1,"unitPrice":7}],"totalAmount":"2"}"#, vec![]),
        (r#"{"items":{"quantity":1,"unitPrice":0.001},"totalAmount":null}"#, vec![]),
        ("[]", vec![]),
        ("7", vec![]),
    ] {
        assert_eq!(broken(EventType::OrderPlaced, document), expected, "{document}");
    }
    let reserved = r#"{"reservedItems":[{"quantity":1},{"quantity":1.00000000000000001}]}"#;
    assert_eq!(broken(EventType::InventoryReserved, reserved).len(), 1);
}

#[test]
fn a_field_of_ours_is_written_once_whoever_put_its_name_among_the_others() {
    let failed = include_str!("../../tests/fixtures/events/InventoryFailed.json");
    let mut event: InventoryFailed = serde_json::from_str(failed).unwrap();
    event.extra.set("reservationId", "RES-1").unwrap();
    event.extra.set("status", "RESERVED").unwrap();
    event.extra.set("shard", &1).unwrap();
    event.extra.set("shard", &2).unwrap();
    assert_eq!(event.extra.get("shard").unwrap().get(), "2");
    let written = Event::from(event).to_json();
    assert_eq!(written, compact(failed).replace('}', ",\"shard\":2}"));
}

#[test]
fn the_documents_of_these_tests_are_neither_all_right_nor_all_wrong() {
    let mut runner = TestRunner::deterministic();
    let mut accepted: BTreeMap<EventType, (u32, u32)> = BTreeMap::new();
    for _ in 0..2_000 {
        let (kind, document) = documents().new_tree(&mut runner).unwrap().current();
        let counts = accepted.entry(kind).or_default();
        if is_accepted(kind, &document) { counts.0 += 1 } else { counts.1 += 1 }
    }
    for kind in EventType::ALL {
        let (right, wrong) = accepted[kind];
        assert!(right > 40 && wrong > 30, "{kind}: {right} right, {wrong} wrong");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Both ways at once: our types read exactly what schema and rules accept, and write it again
    /// as the same value; so whatever they write, schema and rules accept.
    #[test]
    fn what_schema_and_rules_accept_is_read_and_written_unchanged((kind, document) in documents()) {
        let accepted = is_accepted(kind, &document);
        match Event::from_json(document.as_bytes()) {
            Ok(event) => {
                prop_assert!(accepted, "read although not accepted: {}", document);
                let written = event.to_json();
                prop_assert_eq!(exact(&written), exact(&document));
                prop_assert!(is_accepted(kind, &written), "{}", written);
                prop_assert_eq!(Event::from_json(written.as_bytes()), Ok(event));
            }
            Err(error) => prop_assert!(!accepted, "{}: {}", error, document),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[{}\\[\\]\",:a0\\\\ ]{0,40}") {
        let _ = Event::from_json(&bytes);
        let _ = Event::from_json(text.as_bytes());
    }
}
