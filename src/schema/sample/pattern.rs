//! Texts that a regular expression matches.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::dice::Dice;
use super::number::LONGEST;
use super::text::words;

/// A text that the pattern matches, of about `least` characters; `None` where the pattern has
/// something that only a matcher can follow (look-around, back-references).
pub(super) fn draw(pattern: &str, least: usize, dice: &mut Dice) -> Option<String> {
    let hir = regex_syntax::parse(&in_rust(pattern)).ok()?;
    let mut text = String::new();
    write(&hir, dice, &mut text);
    // A pattern that is not anchored leaves the rest free.
    let short = least.saturating_sub(text.chars().count());
    if short > 0 {
        let more = words(short, short, dice);
        if hir.properties().look_set_suffix().is_empty() {
            text.push_str(&more);
        } else if hir.properties().look_set_prefix().is_empty() {
            text.insert_str(0, &more);
        }
    }
    Some(text)
}

/// ECMAScript's `\d` and `\w` are ASCII's.
fn in_rust(pattern: &str) -> String {
    pattern.replace("\\d", "[0-9]").replace("\\w", "[A-Za-z0-9_]")
}

/// Repetitions beyond what is demanded.
const MORE: u32 = 3;

fn write(hir: &Hir, dice: &mut Dice, text: &mut String) {
    if text.len() > LONGEST {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(one_of(class, dice)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(MORE));
            let times = dice.between(repetition.min.into(), most.into());
            for _ in 0..times.min(LONGEST as u64) {
                write(&repetition.sub, dice, text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, dice, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, dice, text)),
        HirKind::Alternation(branches) => {
            if let Some(branch) = dice.pick(branches) {
                write(branch, dice, text);
            }
        }
    }
}

/// A character of a class: a letter or digit where it has any.
fn one_of(class: &Class, dice: &mut Dice) -> Option<char> {
    const PLAIN: &str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789-_. ";
    let Class::Unicode(class) = class else { return None };
    let holds = |c: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c));
    let plain: Vec<char> = PLAIN.chars().filter(holds).collect();
    dice.pick(&plain)
        .copied()
        .or_else(|| class.ranges().first().map(regex_syntax::hir::ClassUnicodeRange::start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_drawn_of_a_pattern_matches_it() {
        for pattern in [
            "^[A-Z]{3}-\\d{3,}$",
            "^(evt|cmd)-[0-9a-f]{8}$",
            "^[^\\u0000-\\u001f]+$",
            "colou?r",
            "^\\w+@example\\.(com|org)$",
            "^\\/a\\/b*$",
            "^$",
            "[^a-zA-Z0-9]",
            "^\\p{Lu}\\p{Ll}+$",
        ] {
            let judge = jsonschema::validator_for(&json!({ "pattern": pattern })).unwrap();
            for seed in 0..50 {
                let text = draw(pattern, 0, &mut Dice::new(seed)).unwrap();
                assert!(judge.is_valid(&Value::from(text.as_str())), "{pattern}: {text:?}");
            }
        }
        assert_eq!(draw("(?=x)y", 0, &mut Dice::new(0)), None);
        assert_eq!(draw("x", 5, &mut Dice::new(0)).unwrap().len(), 5);
    }
}
