use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::topology;
use crate::topology::problem::Code;

/// The catalogue that comes with the repository.
const OURS: &str = include_str!("../../catalog.yaml");

fn codes(text: &str) -> Vec<Code> {
    let loaded = load(text);
    assert_eq!(loaded.catalog.is_some(), loaded.problems.is_empty(), "{text}");
    loaded.problems.iter().map(|problem| problem.code).collect()
}

/// Each problem as `line:column code message`.
fn said(text: &str) -> Vec<String> {
    let lines = crate::text::Lines::of(text);
    let shown = |problem: &Problem| {
        let (line, column) = lines.position(text, problem.span.start);
        format!("{line}:{column} {} {}", problem.code, problem.message)
    };
    load(text).problems.iter().map(shown).collect()
}

#[test]
fn our_catalogue_has_the_products_of_the_seed_one_sold_out_and_one_for_load() {
    let catalog = load(OURS).catalog.expect("it has no problem");
    let price = |id: &str| catalog.find(id).expect("it is there").price.to_string();
    assert_eq!((price("PROD-101").as_str(), price("PROD-205").as_str()), ("49.99", "19.95"));
    assert!(catalog.products().iter().any(|product| product.stock == 0));
    assert!(catalog.products().iter().any(|product| product.stock == 10_000_000));
    assert_eq!(catalog.find("PROD-999"), None);
}

#[test]
fn every_rules_wrong_example_breaks_that_rule_alone_and_its_right_one_none() {
    for rule in rules::ALL {
        let wrong = codes(rule.wrong);
        assert!(!wrong.is_empty() && wrong.iter().all(|code| *code == rule.code), "{}: {wrong:?}", rule.code);
        assert_eq!(codes(rule.right), [], "{}", rule.code);
        assert!(topology::rules::find(rule.code).is_none(), "{} is taken", rule.code);
    }
    assert!(rules::ALL.is_sorted_by(|a, b| a.code < b.code));
}

#[test]
fn every_problem_is_said_at_once_and_at_its_place() {
    let text = "\
version: 2
currency: EUR
products:
  - { id: PROD-1, name: Lamp, price: 1.999, stock: -1 }
  - { id: PROD-1, nmae: Lamp, price: 2, stock: 3, stock: 4 }
  - { name: Nameless, price: -2, stock: 1e3 }
  - { id: [x], name: \"\", price: {}, stock: }
  - lamp
";
    insta::assert_snapshot!(said(text).join("\n"));
}

#[test]
fn a_file_without_products_says_what_to_write() {
    for (text, expected) in [
        ("", "1:1 KF005 the file is empty"),
        ("# nothing\n", "1:1 KF005 the file is empty"),
        ("~", "1:1 KF005 the file is empty"),
        ("version: 1\nproducts: []\n", "2:11 KF005 the catalogue has no product"),
        ("version: 1\n", "1:1 KF005 the file has no `products`"),
        ("version: 1\nproducts:\n", "2:1 KF004 `products` has no value"),
        ("- 1\n", "1:1 KF004 a catalogue is a mapping, and this is a list"),
        ("version: 1\nproducts: {}\n", "2:11 KF004 `products` has to be a list of products, not a mapping"),
        ("a: [", "1:5 KF001 not valid YAML: unclosed bracket '['"),
    ] {
        let found = said(text);
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        // Where the parser gives up, and in which words, is its own.
        let expected = if expected.contains("KF001") { &found[0] } else { expected };
        assert_eq!(found[0], expected);
        assert!(expected.contains("KF001") == text.contains("a: ["));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        products in proptest::collection::btree_map("[A-Z][A-Za-z0-9-]{0,20}", ("[a-z]{1,9}", 0_i64..10_000_000, 0..=MOST_STOCK), 1..20),
    ) {
        let mut text = "version: 1\nproducts:\n".to_owned();
        let mut expected = Vec::new();
        for (id, (name, cents, stock)) in products {
            let price = Money::from_cents(cents).unwrap();
            let _ = writeln!(text, "  - {{ id: \"{id}\", name: \"{name}\", price: {price}, stock: {stock} }}");
            expected.push(Product { id, name, price, stock });
        }
        let loaded = load(&text);
        prop_assert_eq!(loaded.catalog.map(|catalog| catalog.products), Some(expected));
    }

    #[test]
    fn whatever_the_text_it_is_a_catalogue_or_has_problems(
        text in "(version: 1\n|products:\n|  - |id: |name: |price: |stock: |[a-z0-9.-]{1,3}|: |\n| |\\[|\\]|\\{|\\}|, |&a |\\*a|\"|#){0,40}",
    ) {
        let loaded = load(&text);
        prop_assert_eq!(loaded.catalog.is_some(), loaded.problems.is_empty());
    }
}
