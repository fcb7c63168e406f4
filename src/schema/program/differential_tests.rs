//! The program and the judge over damaged events: `KAFKAFLOW_DIFFERENTIAL=5000000` tries so many documents.

use std::fmt::Write as _;

use crate::schema::program::Places;
use crate::schema::{Broken, Compiler, Rule, Schema, Values, json};

const USUAL: u64 = 40_000;

/// Small and the same everywhere: https://prng.di.unimi.it/splitmix64.c
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What a value may become.
const VALUES: [&str; 44] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "0.1",
    "49.99",
    "19.955",
    "1e2",
    "1E-3",
    "1e400",
    "2147483647",
    "2147483648",
    "1000000000000",
    "1000000000000.001",
    "99999999999999999999",
    "00",
    "NaN",
    "\"\"",
    "\"x\"",
    "\"RESERVED\"",
    "\"FAILED\"",
    "\"email\"",
    "\"OrderPlaced\"",
    "\"\\u0041\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\x\"",
    "\"2024-09-01T10:15:30Z\"",
    "\"2024-09-01t10:15:30z\"",
    "\"2024-02-30T10:15:30Z\"",
    "\"2024-12-31T23:59:60Z\"",
    "\"2024-09-01T10:15:30.5+02:00\"",
    "\"2024-09-01T10:15:30\"",
    "[]",
    "[[]]",
    "{}",
    "{\"a\": 1, \"a\": 2}",
    "{\"productId\": \"P\", \"quantity\": 1}",
    "[{\"productId\": \"P\", \"quantity\": 1, \"unitPrice\": 1}]",
    "\"é日本\"",
];

/// Replaces, removes, doubles or breaks something.
fn damage(text: &mut Vec<u8>, random: &mut Random) {
    let parsed = json::parse(text, 0);
    let mut places = Vec::new();
    if let Some(node) = &parsed.node {
        collect(node, &mut places);
    }
    let at = random.below(text.len().max(1));
    match random.below(8) {
        0..=3 if !places.is_empty() => {
            let (from, to) = *random.one(&places);
            let value = match random.below(12) {
                0 => format!("\"{}\"", "y".repeat(random.below(1100))),
                1 => format!("\"{}\"", "é".repeat(random.below(140))),
                _ => (*random.one(&VALUES)).to_owned(),
            };
            text.splice(from..to, value.into_bytes());
        }
        4 if !places.is_empty() => {
            // A member or an element twice, or another one beside it.
            let (from, to) = *random.one(&places);
            let begin = text[..from].iter().rposition(|byte| matches!(byte, b',' | b'{' | b'[')).unwrap_or(0);
            let mut again = text[begin..to].to_vec();
            again[0] = b',';
            if random.below(2) == 0
                && let Some(letter) = again.iter().position(u8::is_ascii_lowercase)
            {
                again[letter] = b'z';
            }
            text.splice(to..to, again);
        }
        5 => {
            let to = (at + random.below(30)).min(text.len());
            text.drain(at..to);
        }
        6 => text.insert(at, *random.one(b"{}[],:\"\\ \n\t0-.eE\x01\xc3\x7f")),
        _ => {
            if let Some(byte) = text.get_mut(at) {
                *byte = *random.one(b"{}[],:\"\\ \n\t01-.eE\x01\xa9a");
            }
        }
    }
}

fn collect(node: &json::Node, places: &mut Vec<(usize, usize)>) {
    places.push((node.span.start, node.span.end));
    node.members().iter().for_each(|member| collect(&member.value, places));
    node.items().iter().for_each(|item| collect(item, places));
}

/// Says no to every document whose numbers at two places differ, so that wrong places would be noticed.
const SAME_COUNT: Rule = Rule {
    name: "same-count",
    reads: &["/items/*/productId", "/items/*/quantity", "/orderId"],
    check: |values: &Values<'_>| {
        let (ids, counts) = (values.texts(0), values.texts(1));
        let right = ids.len() == counts.len()
            && ids.clone().all(|id| id.starts_with('"'))
            && counts.clone().all(|count| count.starts_with(|c: char| c.is_ascii_digit()))
            && values.texts(2).len() == 1;
        if right { Vec::new() } else { vec![Broken { read: 2, nth: 0, expected: "others".to_owned() }] }
    },
};

#[test]
fn over_damaged_events_the_program_never_contradicts_the_judge() {
    let documents = std::env::var("KAFKAFLOW_DIFFERENTIAL").map_or(USUAL, |count| count.parse().unwrap());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
    let mut schemas: Vec<(Schema, Vec<String>)> = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let examples = value["examples"].as_array().unwrap().iter().map(ToString::to_string).collect();
        schemas.push((Compiler::new().rules(&[SAME_COUNT]).compile(&text).unwrap(), examples));
    }
    let mut random = Random(1);
    let mut places = Places::default();
    let (mut sure, mut valid, mut wrong) = (0_u64, 0_u64, String::new());
    for _ in 0..documents {
        let (schema, examples) = random.one(&schemas);
        let mut text = random.one(examples).clone().into_bytes();
        for _ in 0..random.below(4) {
            damage(&mut text, &mut random);
        }
        let Ok(text) = String::from_utf8(text) else { continue };
        let accepted = schema.violations(text.as_bytes()).is_empty();
        valid += u64::from(accepted);
        let end = schema.surely_valid(&text, json::scan::skip_blanks(text.as_bytes(), 0), &mut places);
        if end.is_some_and(|end| json::scan::skip_blanks(text.as_bytes(), end) == text.len()) {
            sure += 1;
            if !accepted {
                writeln!(wrong, "{text}: {:?}", schema.violations(text.as_bytes())).unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
    // Most of what is valid must have been decided by the program, or the test says little.
    assert!(sure * 10 > valid * 8 && valid > documents / 10, "{sure} sure, {valid} valid of {documents}");
}
