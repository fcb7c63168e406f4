use super::*;
use serde_json::json;

#[test]
fn references_lead_to_pointers_anchors_and_embedded_resources() {
    let schema = json!({
        "$id": "urn:root",
        "allOf": [{ "$ref": "#/$defs/a~1b%20c" }, { "$ref": "#money" }, { "$ref": "urn:other#/$defs/x" }],
        "$ref": "#",
        "$defs": {
            "a/b c": { "minimum": 1 },
            "m": { "$anchor": "money", "maximum": 9 },
            "o": { "$id": "urn:other", "$defs": { "x": { "$ref": "#/$defs/y" }, "y": { "type": "integer" } } },
        },
    });
    let parts = Document::new(&schema).root();
    let pointers: Vec<&str> = parts.all.iter().map(|part| part.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "",
            "/allOf/0",
            "/$defs/a~1b c",
            "/allOf/1",
            "/$defs/m",
            "/allOf/2",
            "/$defs/o/$defs/x",
            "/$defs/o/$defs/y"
        ]
    );
    assert!(parts.lost.is_empty());
    let bundled = json!({
        "$id": "file:///shop/schemas/order.json",
        "$ref": "../common/money.json#/$defs/cents",
        "$defs": { "file:///shop/common/money.json": { "$id": "file:///shop/common/money.json", "$defs": { "cents": { "type": "integer" } } } },
    });
    let parts = Document::new(&bundled).root();
    assert_eq!(parts.all[1].pointer, "/$defs/file:~1~1~1shop~1common~1money.json/$defs/cents");
    let named = json!({ "$ref": "urn:x", "properties": { "default": { "$id": "urn:x", "type": "null" } } });
    assert_eq!(Document::new(&named).root().all[1].pointer, "/properties/default");
    let lost = json!({ "$ref": "https://example.com/elsewhere" });
    assert_eq!(Document::new(&lost).root().lost, ["/$ref"]);
}

#[test]
fn a_property_is_held_to_its_name_its_patterns_or_the_rest() {
    let schema = json!({
        "properties": { "a": true, "b": { "type": "null" } },
        "patternProperties": { "^a": { "minimum": 1 }, "(": {} },
        "additionalProperties": false,
    });
    let document = Document::new(&schema);
    let root = document.root();
    let property = |name| root.property(&document, name);
    assert_eq!(property("ab").all[0].pointer, "/patternProperties/^a");
    assert_eq!(property("b").all[0].pointer, "/properties/b");
    assert_eq!(property("c").never, ["/additionalProperties"]);
    assert_eq!(root.names(), ["a", "b"]);
}

#[test]
fn an_element_is_held_to_its_place_or_the_rest() {
    for schema in [
        json!({ "prefixItems": [{ "type": "null" }], "items": { "type": "string" } }),
        json!({ "items": [{ "type": "null" }], "additionalItems": { "type": "string" } }),
    ] {
        let document = Document::new(&schema);
        let kind = |index| document.root().element(&document, index).all[0].keywords["type"].clone();
        assert_eq!((kind(0), kind(1)), (json!("null"), json!("string")));
        assert_eq!(document.root().tuple(), 1);
    }
}
