//! Names that Kafka does not accept.

use super::Rule;
use crate::text::{Located, Span, quoted};
use crate::topology::file::Given;
use crate::topology::name::{MAX_TOPIC_NAME, TopicName, TopicNameError};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(10),
    title: "Kafka does not accept the topic's name",
    why: "A name has 1 to 249 characters, of letters, digits, `.`, `_` and `-` only, because a topic is a \
          folder on the broker's disk. The name of the dead-letter topic, which is longer by its suffix, \
          has to fit too.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders/placed
    partitions: 3
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders.placed
    partitions: 3
",
    ..Rule::ERROR
};

pub(crate) fn check(text: &str, span: Span, report: &mut Report) -> Given<TopicName> {
    let error = match TopicName::parse(text) {
        Ok(name) => return Given::Is(Located::new(name, span)),
        Err(error) => error,
    };
    let help = match &error {
        TopicNameError::Character(_) => {
            let fixed: String = text
                .chars()
                .map(|c| match c {
                    c if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') => c,
                    _ => '-',
                })
                .collect();
            format!("write for example {}", quoted(&fixed))
        }
        TopicNameError::TooLong(_) => "shorten the name".to_owned(),
        TopicNameError::Empty | TopicNameError::Dots => "write `name: my-service.my-event`".to_owned(),
    };
    report.push(
        Problem::new(&RULE, span, format!("{} is not a topic name", quoted(text)))
            .label(match &error {
                // The character itself could drive the terminal.
                TopicNameError::Character(c) => {
                    format!("{} is not allowed in a topic name", quoted(&c.to_string()))
                }
                other => other.to_string(),
            })
            .help(help),
    );
    Given::Broken
}

/// The name of the dead-letter topic of `source`.
pub(crate) fn dead_letters(
    source: &TopicName,
    suffix: &str,
    place: Span,
    report: &mut Report,
) -> Option<TopicName> {
    let error = match TopicName::parse(&format!("{source}{suffix}")) {
        Ok(name) => return Some(name),
        Err(error) => error,
    };
    let help = match error {
        TopicNameError::TooLong(_) => format!(
            "a topic with a dead-letter topic has at most {} characters",
            MAX_TOPIC_NAME.saturating_sub(suffix.len())
        ),
        _ => "correct `dlt_suffix:` at the top of the file".to_owned(),
    };
    report.push(
        Problem::new(
            &RULE,
            place,
            format!("{} with the suffix {} is not a topic name", quoted(source.as_str()), quoted(suffix)),
        )
        .label("the name of its dead-letter topic does not fit")
        .help(help),
    );
    None
}
