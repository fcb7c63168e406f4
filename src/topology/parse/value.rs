//! Single values: text, numbers, durations, lists.

use std::collections::BTreeSet;

use super::tree::{Entry, Kind, Node};
use crate::text::{Located, Span, quoted};
use crate::topology::file::{Given, Names};
use crate::topology::problem::{Code, Problem, Report};
use crate::topology::rules::{self, bad_unit, count, unknown_allow, unknown_field, wrong_kind};
use crate::topology::topic_configs;
use crate::unit::UnitError;

/// Reads nodes into values; what does not fit is reported and comes back as [`Given::Broken`].
pub(crate) struct Decoder<'r> {
    pub(crate) report: &'r mut Report,
}

impl Decoder<'_> {
    pub(crate) fn wrong_kind(&mut self, node: &Node<'_>, field: &str, expected: &str, help: &str) {
        if matches!(node.kind, Kind::Broken) {
            return;
        }
        let problem = match node.kind {
            Kind::Null => {
                Problem::new(&wrong_kind::RULE, node.span, format!("{} has no value", quoted(field)))
                    .label(format!("expected {expected}"))
            }
            _ => Problem::new(
                &wrong_kind::RULE,
                node.span,
                format!("{} has to be {expected}, not {}", quoted(field), node.describe()),
            )
            .label(format!("expected {expected}")),
        };
        self.report.push(problem.help(help));
    }

    /// The entries of a mapping. A field without a value is underlined at its name: an empty place
    /// shows nothing.
    pub(crate) fn mapping<'n, 'a>(&mut self, entry: &'n Entry<'a>, help: &str) -> Option<&'n [Entry<'a>]> {
        if let Kind::Mapping(entries) = &entry.value.kind {
            return Some(entries);
        }
        self.misfit(entry, "a mapping", help);
        None
    }

    pub(crate) fn misfit(&mut self, entry: &Entry<'_>, expected: &str, help: &str) {
        let node = visible(entry);
        self.wrong_kind(&node, &entry.key, expected, help);
    }

    pub(crate) fn unknown_field(&mut self, entry: &Entry<'_>, owner: &str, known: &[&str]) {
        let help = if topic_configs::find(&entry.key).is_some() {
            format!("it is a setting of Kafka: write `config: {{ {}: … }}`", entry.key)
        } else {
            self.report.did_you_mean(&entry.key, known.iter().copied(), || {
                format!("the fields of {owner} are {}", known.join(", "))
            })
        };
        let name = quoted(&entry.key);
        self.report.push(
            Problem::new(&unknown_field::RULE, entry.key_span, format!("{name} is not a field of {owner}"))
                .label("unknown field")
                .help(help),
        );
    }

    /// A word or a sentence.
    pub(crate) fn text(&mut self, entry: &Entry<'_>) -> Given<String> {
        match &entry.value.kind {
            Kind::Scalar(text) if !text.trim().is_empty() => {
                Given::Is(Located::new(text.clone().into_owned(), entry.value.span))
            }
            Kind::Scalar(_) => {
                let problem = Problem::new(
                    &wrong_kind::RULE,
                    entry.value.span,
                    format!("{} is empty", quoted(&entry.key)),
                );
                self.report.push(problem.help("write a text, or remove the line"));
                Given::Broken
            }
            _ => {
                self.misfit(entry, "a text", "write a text, or remove the line");
                Given::Broken
            }
        }
    }

    /// A whole number inside the limits that the rule on counts has for it.
    pub(super) fn count<T: TryFrom<i64>>(&mut self, entry: &Entry<'_>, limits: &count::Limits) -> Given<T> {
        let span = entry.value.span;
        let Kind::Scalar(text) = &entry.value.kind else {
            self.misfit(entry, "a whole number", "write a number like `12`");
            return Given::Broken;
        };
        let Some(number) = whole_number(text) else {
            self.wrong_kind(
                &entry.value,
                &entry.key,
                "a whole number",
                "write a number like `12`: digits only",
            );
            return Given::Broken;
        };
        let checked = limits
            .check(number)
            .and_then(|number| T::try_from(number).map_err(|_| count::Refusal::default()));
        match checked {
            Ok(value) => Given::Is(Located::new(value, span)),
            Err(refusal) => {
                self.report.push(refusal.problem(text, &entry.key, span));
                Given::Broken
            }
        }
    }

    /// A duration, size or rate.
    pub(super) fn unit<T>(
        &mut self,
        entry: &Entry<'_>,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, UnitError>,
    ) -> Given<T> {
        let span = entry.value.span;
        let Kind::Scalar(text) = &entry.value.kind else {
            self.misfit(entry, expected, "write it like `7d`, `20ms` or `500/s`");
            return Given::Broken;
        };
        match parse(text) {
            Ok(value) => Given::Is(Located::new(value, span)),
            Err(error) => {
                self.bad_unit(&entry.key, span, &error);
                Given::Broken
            }
        }
    }

    pub(super) fn bad_unit(&mut self, field: &str, span: Span, error: &UnitError) {
        self.report.push(
            Problem::new(&bad_unit::RULE, span, format!("{}: {}", quoted(field), error.message))
                .help(error.help.clone()),
        );
    }

    /// A list of words. One word alone is told how to become a list.
    pub(super) fn names(&mut self, entry: &Entry<'_>) -> Names {
        let Kind::Sequence(items) = &entry.value.kind else {
            let help = match &entry.value.kind {
                Kind::Scalar(text) => format!("write `{}: [{}]`", entry.key, shortened(text)),
                _ => format!("write `{}: [one, two]`, or remove the line", entry.key),
            };
            self.misfit(entry, "a list", &help);
            return Given::Broken;
        };
        let mut names: Vec<Located<String>> = Vec::with_capacity(items.len());
        let mut seen = BTreeSet::new();
        for item in items.iter() {
            match &item.kind {
                Kind::Scalar(text) if !text.trim().is_empty() => {
                    if seen.insert(text.as_ref()) {
                        names.push(Located::new(text.clone().into_owned(), item.span));
                    } else {
                        self.report.push(rules::listed_twice::problem(&entry.key, text, item.span));
                    }
                }
                _ => self.wrong_kind(
                    item,
                    &entry.key,
                    "a list of names",
                    "write each name on its own, like `[one, two]`",
                ),
            }
        }
        Given::Is(Located::new(names, entry.value.span))
    }

    /// Codes of rules that may be silenced.
    pub(super) fn allow(&mut self, entry: &Entry<'_>) -> BTreeSet<Code> {
        let names = self.names(entry);
        names.items().iter().filter_map(|name| unknown_allow::check(name, self.report)).collect()
    }
}

/// The value of an entry, placed where something can be underlined.
fn visible<'a>(entry: &Entry<'a>) -> Node<'a> {
    let empty = entry.value.span.start == entry.value.span.end;
    Node { span: if empty { entry.key_span } else { entry.value.span }, kind: entry.value.kind.clone() }
}

fn shortened(text: &str) -> String {
    quoted(text).trim_matches('`').to_owned()
}

/// Digits with an optional minus; no leading zero (YAML 1.1 reads `010` as eight), no `1_000`.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0"
        || (!digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    plain.then(|| {
        // More digits than 64 bits hold are out of every limit too.
        text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX })
    })
}
