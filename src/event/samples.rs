//! For tests: documents as the schemas leave them free, and now and then a little off.

use proptest::prelude::*;
use proptest::strategy::Union;
use serde_json::Value;

use super::EventType;
use crate::unit::{fixed, shown_money};

/// The text of a type's schema.
pub(super) fn schema_text(kind: EventType) -> &'static str {
    match kind {
        EventType::OrderPlaced => include_str!("../../schemas/OrderPlaced.v1.json"),
        EventType::InventoryReserved => include_str!("../../schemas/InventoryReserved.v1.json"),
        EventType::InventoryFailed => include_str!("../../schemas/InventoryFailed.v1.json"),
        EventType::SendNotification => include_str!("../../schemas/SendNotification.v1.json"),
        EventType::CancelReservation => include_str!("../../schemas/CancelReservation.v1.json"),
        EventType::ReservationCancelled => include_str!("../../schemas/ReservationCancelled.v1.json"),
        EventType::RestoreReservation => include_str!("../../schemas/RestoreReservation.v1.json"),
        EventType::ReservationRestored => include_str!("../../schemas/ReservationRestored.v1.json"),
    }
}

pub(super) fn schema(kind: EventType) -> Value {
    serde_json::from_str(schema_text(kind)).unwrap()
}

/// A JSON value whose leaves are kept as they are written.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    fn leaf(text: impl Into<String>) -> Self {
        Self::Leaf(text.into())
    }

    /// JSON with `blank` wherever a blank may stand.
    fn write(&self, blank: &str) -> String {
        let joined = |open: &str, parts: Vec<String>, close: &str| {
            format!("{open}{blank}{}{blank}{close}", parts.join(&format!("{blank},{blank}")))
        };
        match self {
            Self::Leaf(text) => text.clone(),
            Self::Array(items) => joined("[", items.iter().map(|item| item.write(blank)).collect(), "]"),
            Self::Object(members) => {
                let member = |(name, value): &(String, Self)| {
                    format!("{}{blank}:{blank}{}", Value::from(name.as_str()), value.write(blank))
                };
                joined("{", members.iter().map(member).collect(), "}")
            }
        }
    }

    fn member(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else { return None };
        members.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.member(name)? {
            Self::Leaf(text) => Some(text.clone()),
            _ => None,
        }
    }
}

/// Documents of some type of event; most of them are what its schema and rules accept.
pub(super) fn documents() -> impl Strategy<Value = (EventType, String)> {
    let kinds = EventType::ALL.iter().map(|kind| {
        let root = schema(*kind);
        let blank = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\r\n\t")];
        let total = (spelling(), prop_oneof![15 => Just(0_i64), 1 => -1..=1_i64]);
        (value(&root, &root), blank, total)
            .prop_map(move |(tree, blank, total)| (*kind, with_total(tree, total).write(blank)))
            .boxed()
    });
    Union::new(kinds)
}

/// Puts the sum of quantity times price, or almost, where a total stands.
fn with_total(mut tree: Tree, (spelling, off): (Spelling, i64)) -> Tree {
    let mut sum = Some(i128::from(off));
    if let Some(Tree::Array(items)) = tree.member("items") {
        for item in items {
            let mut number = |name, decimals| fixed(&item.text(name)?, decimals).ok().map(i128::from);
            let cost = number("quantity", 0).and_then(|quantity| Some(quantity * number("unitPrice", 2)?));
            sum = sum.zip(cost).map(|(sum, cost)| sum + cost);
        }
    }
    if let (Some(total), Some(sum)) = (tree.member("totalAmount"), sum)
        && matches!(total, Tree::Leaf(text) if text.starts_with(|c: char| c.is_ascii_digit()))
    {
        *total = spelled(sum, spelling);
    }
    tree
}

/// Values that are wrong almost everywhere.
const WRONG: &str = concat!(
    "null true \"\" [] {} [0] {\"a\":0} \"2024-09-01\" 0 -0 -1 -0.01 0.001 1.5 1e-3 1e2 2.0 1e12 1e300 2147483648 ",
    "0.30000000000000004 1000000000000.01 1000000000000.0000000000000001 2.00000000000000000001",
);

/// What a schema accepts, and with a small chance something that it does not.
fn value(schema: &Value, root: &Value) -> BoxedStrategy<Tree> {
    let right = right_value(schema, root);
    let wrong = prop::sample::select(WRONG.split(' ').collect::<Vec<_>>());
    prop_oneof![199 => right, 1 => wrong.prop_map(Tree::leaf)].boxed()
}

fn right_value(schema: &Value, root: &Value) -> BoxedStrategy<Tree> {
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
        return value(root.pointer(&pointer[1..]).unwrap(), root);
    }
    if let Some(constant) = schema.get("const") {
        return Just(Tree::leaf(constant.to_string())).boxed();
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return Union::new(values.iter().map(|value| Just(Tree::leaf(value.to_string())))).boxed();
    }
    if let Some(Value::Array(schemas)) = schema.get("anyOf") {
        return Union::new(schemas.iter().map(|schema| value(schema, root))).boxed();
    }
    let bound =
        |name: &str, otherwise: i64| schema.get(name).map_or(otherwise, |bound| bound.as_i64().unwrap());
    match schema["type"].as_str().unwrap() {
        "null" => Just(Tree::leaf("null")).boxed(),
        "string" if schema["format"] == "date-time" => string(timestamps().boxed()),
        "string" => string(texts(bound("minLength", 0), bound("maxLength", 9))),
        "integer" => number(bound("minimum", 0), bound("maximum", 9), 100),
        "number" => number(bound("minimum", 0) * 100, bound("maximum", 9) * 100, 1),
        "array" => array(
            &schema.get("items").map_or(json(), |items| value(items, root)),
            bound("minItems", 0),
            bound("maxItems", 9),
        ),
        "object" => object(schema, root),
        other => panic!("no documents of type {other}"),
    }
}

/// How a number is written.
type Spelling = usize;

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![4 => Just(0), 1 => 1..6_usize]
}

/// A number of hundredths, spelled one way or another.
fn spelled(hundredths: i128, spelling: Spelling) -> Tree {
    let sign = if hundredths < 0 { "-" } else { "" };
    let number = hundredths.abs();
    let (whole, rest) = (number / 100, number % 100);
    Tree::leaf(match spelling {
        0 => format!("{sign}{}", shown_money(number)),
        1 => format!("{sign}{whole}.{rest:02}"),
        2 => format!("{sign}{whole}.{rest:02}00000000000000000000"),
        3 => format!("{sign}{number}e-2"),
        4 => format!("{sign}{number}.000E-002"),
        _ => format!("{sign}0.000{number:0>40}e+41"),
    })
}

fn number(least: i64, most: i64, hundredths: i64) -> BoxedStrategy<Tree> {
    let few = least..=most.min(least + 5_000);
    let number = prop_oneof![
        150 => few,
        5 => Just(least),
        2 => Just(most),
        2 => least..=most,
        1 => Just(least - 1),
        1 => Just(most + 1),
    ];
    (number, spelling())
        .prop_map(move |(number, spelling)| spelled(i128::from(number) * i128::from(hundredths), spelling))
        .boxed()
}

fn texts(least: i64, most: i64) -> BoxedStrategy<String> {
    let length = |length: i64| usize::try_from(length).unwrap();
    let (least, most) = (length(least), length(most));
    let exactly = |length: usize| {
        prop::sample::select(&["x", "é", "漢", "🦀", "\u{7f}", "\0"][..])
            .prop_map(move |text| text.repeat(length))
    };
    prop_oneof![
        100 => "[A-Za-z0-9@.-]{1,12}",
        20 => prop::collection::vec(any::<char>(), 1..20).prop_map(String::from_iter),
        4 => exactly(most),
        1 => exactly(most + 1),
        4 => exactly(least),
        1 => exactly(least.saturating_sub(1)),
    ]
    .boxed()
}

fn string(texts: BoxedStrategy<String>) -> BoxedStrategy<Tree> {
    let escaped =
        |text: &str| text.encode_utf16().fold(String::new(), |all, unit| format!("{all}\\u{unit:04x}"));
    (texts, prop::bool::weighted(0.1))
        .prop_map(move |(text, escapes)| {
            Tree::Leaf(if escapes {
                format!("\"{}\"", escaped(&text))
            } else {
                Value::from(text).to_string()
            })
        })
        .boxed()
}

fn timestamps() -> impl Strategy<Value = String> {
    "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)\
     (\\.[0-9]{1,9})?([Zz]|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
}

fn array(items: &BoxedStrategy<Tree>, least: i64, most: i64) -> BoxedStrategy<Tree> {
    let length = |length: i64| usize::try_from(length.max(0)).unwrap();
    let (least, most) = (length(least), length(most));
    let usual = prop::collection::vec(items.clone(), least..=most.min(least + 3));
    let same = |length: usize| items.clone().prop_map(move |item| vec![item; length]);
    prop_oneof![
        40 => usual,
        1 => same(least.saturating_sub(1)),
        1 => same(most),
        1 => same(most + 1),
    ]
    .prop_map(Tree::Array)
    .boxed()
}

fn object(schema: &Value, root: &Value) -> BoxedStrategy<Tree> {
    let none = serde_json::Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let members: Vec<_> = properties
        .iter()
        .map(|(name, schema)| {
            let name = name.clone();
            let (chance, value) = match schema {
                Value::Bool(false) => (0.02, json()),
                _ if required.contains(&Value::from(name.as_str())) => (0.99, value(schema, root)),
                _ => (0.5, value(schema, root)),
            };
            prop::option::weighted(chance, value.prop_map(move |value| (name.clone(), value)))
        })
        .collect();
    let extra = prop::collection::vec((prop_oneof!["[a-z]{1,4}", "\\PC{0,3}"], json()), 0..3);
    (members, extra)
        .prop_map(|(members, extra)| {
            let mut members: Vec<(String, Tree)> = members.into_iter().flatten().collect();
            for (name, value) in extra {
                if members.iter().all(|(known, _)| *known != name) {
                    members.push((name, value));
                }
            }
            members
        })
        .prop_shuffle()
        .prop_map(Tree::Object)
        .boxed()
}

/// Any JSON.
fn json() -> BoxedStrategy<Tree> {
    let leaves = prop::sample::select(
        &["null", "false", "0", "-0.0", "1.10", "12345678901234567890.5", "1e-7", "\"\"", "\"\\u00e9\\n\""][..],
    );
    let leaves = leaves.prop_map(Tree::leaf);
    leaves
        .prop_recursive(3, 12, 3, |inner| {
            let members = prop::collection::btree_map("[a-c]{0,2}", inner.clone(), 0..3);
            prop_oneof![
                prop::collection::vec(inner, 0..3).prop_map(Tree::Array),
                members.prop_map(|members| Tree::Object(members.into_iter().collect())),
            ]
        })
        .boxed()
}
