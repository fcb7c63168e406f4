//! Documents made as small as they still serve.

use serde_json::Value;

use super::path::{Step, at, places};

/// Documents that are tried, and values in all of them; a large one stays larger than it would have to.
const TRIES: usize = 150;
const VALUES: usize = 1_000_000;

/// Leaves out whatever the document serves without: what is large first.
pub(crate) fn smaller(document: Value, serves: impl Fn(&Value) -> bool) -> Value {
    let mut document = document;
    let mut left = TRIES.min(VALUES / places(&document).len());
    while without_some(&mut document, &serves, &mut left) {}
    document
}

/// Leaves out some parts; false when the document needs all of them, or nobody wants to try on.
fn without_some(document: &mut Value, serves: &impl Fn(&Value) -> bool, left: &mut usize) -> bool {
    let mut changed = false;
    let mut all = places(document);
    // What holds a lot, and of a list its end, so that the other places stay where they are.
    all.sort_by_key(|place| (place.len(), std::cmp::Reverse(place.last().cloned())));
    for place in all {
        let Some((step, around)) = place.split_last() else { continue };
        let mut tried = document.clone();
        match (at(&mut tried, around), step) {
            (Some(Value::Object(members)), Step::Name(name)) if members.contains_key(name) => {
                members.shift_remove(name);
            }
            (Some(Value::Array(elements)), Step::Index(index)) if *index < elements.len() => {
                elements.remove(*index);
            }
            _ => continue,
        }
        if *left == 0 {
            return false;
        }
        *left -= 1;
        if serves(&tried) {
            *document = tried;
            changed = true;
        }
    }
    changed
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
        let long = json!(vec![0; 100_000]);
        assert!(smaller(long, |value| value.get(99_000).is_some()).as_array().unwrap().len() < 100_000);
    }
}
