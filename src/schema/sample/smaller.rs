//! Documents made as small as they still serve.

use serde_json::Value;

use super::path::{Step, at, places};

/// Leaves out whatever the document serves without.
pub(crate) fn smaller(document: Value, serves: impl Fn(&Value) -> bool) -> Value {
    /// A document is small long before.
    const ROUNDS: usize = 20;
    let mut document = document;
    for _ in 0..ROUNDS {
        let Some(next) = without_one(&document, &serves) else { break };
        document = next;
    }
    document
}

/// The document without some of its parts; `None` when it needs all of them.
fn without_one(document: &Value, serves: &impl Fn(&Value) -> bool) -> Option<Value> {
    let mut document = document.clone();
    let mut changed = false;
    for place in places(&document).into_iter().rev() {
        let Some((step, around)) = place.split_last() else { continue };
        let mut tried = document.clone();
        match (at(&mut tried, around), step) {
            (Some(Value::Object(members)), Step::Name(name)) => drop(members.shift_remove(name)),
            (Some(Value::Array(elements)), Step::Index(index)) if *index < elements.len() => {
                drop(elements.remove(*index));
            }
            _ => continue,
        }
        if serves(&tried) {
            document = tried;
            changed = true;
        }
    }
    changed.then_some(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_needed_stays() {
        let document = json!({ "a": [1, 2, { "b": 3, "c": 4 }], "d": { "e": 5 } });
        let needed = |value: &Value| value.to_string().contains("\"b\":3") && value.get("d").is_some();
        assert_eq!(smaller(document, needed), json!({ "a": [{ "b": 3 }], "d": {} }));
    }
}
