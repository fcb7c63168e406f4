//! Texts of a format, a pattern or a length.

use super::dice::Dice;
use super::{number, pattern};
use crate::schema::document::Parts;

/// A text that the parts allow, as far as one is known how to make.
pub(super) fn draw(parts: &Parts<'_>, dice: &mut Dice) -> Option<String> {
    if let Some(format) = parts.said("format").find_map(|(_, format)| formatted(format.as_str()?, dice)) {
        return Some(format);
    }
    let least = number::greatest(parts, "minLength");
    let most = number::least(parts, "maxLength");
    if let Some((_, pattern)) = parts.said("pattern").next() {
        return pattern::draw(pattern.as_str()?, least, dice);
    }
    (least <= most && least <= number::LONGEST).then(|| words(least, most, dice))
}

const WORDS: [&str; 12] = [
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "islet", "maple", "north",
    "quartz",
];

/// Words of a length between two bounds, in characters.
pub(super) fn words(least: usize, most: usize, dice: &mut Dice) -> String {
    let mut text = String::new();
    while text.is_empty() || text.len() < least {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(dice.pick(&WORDS).copied().unwrap_or_default());
    }
    text.truncate(most);
    if text.len() > least.max(1) && text.ends_with(' ') {
        text.pop();
    }
    text
}

/// A text of a format; `None` for a format that is not known.
fn formatted(format: &str, dice: &mut Dice) -> Option<String> {
    let mut number = |least, most| dice.between(least, most);
    Some(match format {
        "date-time" => {
            let date = date(&mut number);
            let (hour, minute, second) = (number(0, 23), number(0, 59), number(0, 59));
            format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
        }
        "date" => date(&mut number),
        "time" => format!("{:02}:{:02}:{:02}Z", number(0, 23), number(0, 59), number(0, 59)),
        "duration" => format!("P{}DT{}H", number(1, 30), number(1, 23)),
        "uuid" => format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            number(0, 0xffff_ffff),
            number(0, 0xffff),
            number(0, 0xfff),
            number(0, 0xfff),
            number(0, 0xffff_ffff_ffff)
        ),
        "email" | "idn-email" => format!("customer{}@example.com", number(1, 999)),
        "hostname" | "idn-hostname" => format!("host{}.example.com", number(1, 999)),
        "ipv4" => format!("192.0.2.{}", number(1, 254)),
        "ipv6" => format!("2001:db8::{:x}", number(1, 0xffff)),
        "uri" | "iri" => format!("https://example.com/{}", number(1, 999)),
        "uri-reference" | "iri-reference" => format!("/things/{}", number(1, 999)),
        "uri-template" => "/things/{id}".to_owned(),
        "json-pointer" => format!("/things/{}", number(0, 9)),
        "relative-json-pointer" => format!("{}/things", number(0, 9)),
        "regex" => "^[a-z]+$".to_owned(),
        _ => return None,
    })
}

fn date(number: &mut impl FnMut(u64, u64) -> u64) -> String {
    format!("20{}-{:02}-{:02}", number(20, 29), number(1, 12), number(1, 28))
}

/// Is it a text that no format allows?
pub(super) const NO_FORMAT: &str = "\u{0}%";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_drawn_of_a_format_is_of_it() {
        let formats = [
            "date-time",
            "date",
            "time",
            "duration",
            "uuid",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "uri",
            "iri",
            "uri-reference",
            "iri-reference",
            "uri-template",
            "json-pointer",
            "relative-json-pointer",
            "regex",
        ];
        for format in formats {
            let schema = json!({ "format": format });
            let judge = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            for seed in 0..50 {
                let text = formatted(format, &mut Dice::new(seed)).unwrap();
                assert!(judge.is_valid(&Value::from(text.as_str())), "{format}: {text}");
            }
            assert!(!judge.is_valid(&Value::from(NO_FORMAT)) || format == "regex", "{format}");
        }
        assert_eq!(formatted("unknown", &mut Dice::new(0)), None);
    }

    #[test]
    fn words_have_the_length_that_is_wanted() {
        for (least, most) in [(0, 3), (1, 1), (7, 7), (30, 40), (1, usize::MAX)] {
            for seed in 0..50 {
                let text = words(least, most, &mut Dice::new(seed));
                assert!((least..=most).contains(&text.len()), "{least}..={most}: {text:?}");
            }
        }
    }
}
