//! Topologies that the tests of this module write out.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Schemas;
use crate::topology::{SchemaFiles, Topology, load};

/// Our own file.
pub(super) fn ours() -> Topology {
    topology(include_str!("../../topology.yaml"))
}

/// Names that mean something to whoever reads the output, and whatever else is out of the ordinary.
pub(super) fn odd() -> Topology {
    topology(include_str!("../../tests/data/odd-names.yaml"))
}

fn topology(text: &str) -> Topology {
    let loaded = load(text, None, |_| SchemaFiles::Unchecked);
    loaded.topology.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

pub(super) fn our_schemas() -> Schemas {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
    });
    Schemas::of(files.collect())
}

/// Of one of the odd events.
pub(super) fn odd_schemas() -> Schemas {
    let order = json!({
        "description": "Placed | paid.\nTwo lines, `code|bar` and <b>no HTML</b>.",
        "required": ["id"],
        "properties": {
            "id": { "$ref": "common.json#/$defs/id", "description": "The key." },
            "odd|`field": { "enum": ["a|b", null] },
        },
        "examples": [{ "id": "1", "text": "```" }],
    });
    let common = json!({ "$defs": { "id": { "type": "string", "minLength": 1 } } });
    let files = [("Order \"Placed\".v3.json", order), ("common.json", common)];
    let files: BTreeMap<String, Value> = files.map(|(name, schema)| (name.to_owned(), schema)).into();
    Schemas::of(files)
}

/// Whatever stands in a schema file: keywords with values that suit them or not.
pub(super) fn any_schema() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "$ref",
        "$defs",
        "$anchor",
        "#",
        "#/$defs/a",
        "#a",
        "common.json#/$defs/id",
        "a",
        "type",
        "object",
        "array",
        "string",
        "properties",
        "items",
        "prefixItems",
        "additionalProperties",
        "allOf",
        "anyOf",
        "oneOf",
        "const",
        "enum",
        "required",
        "minimum",
        "maxLength",
        "description",
        "examples",
        "dependentRequired",
        "dependentSchemas",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}
