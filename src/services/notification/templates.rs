//! What notifications say.

use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use crate::event::Channel;
use crate::text::nearest;

/// The files that are part of kafkaflow, by their names.
pub(crate) const EMBEDDED: &[(&str, &str)] = &[
    ("order-cancelled.html", include_str!("../../../templates/order-cancelled.html")),
    ("order-cancelled.sms", include_str!("../../../templates/order-cancelled.sms")),
    ("order-cancelled.txt", include_str!("../../../templates/order-cancelled.txt")),
    ("order-confirmed.html", include_str!("../../../templates/order-confirmed.html")),
    ("order-confirmed.sms", include_str!("../../../templates/order-confirmed.sms")),
    ("order-confirmed.txt", include_str!("../../../templates/order-confirmed.txt")),
    ("out-of-stock.sms", include_str!("../../../templates/out-of-stock.sms")),
    ("out-of-stock.txt", include_str!("../../../templates/out-of-stock.txt")),
    ("payment-failed.html", include_str!("../../../templates/payment-failed.html")),
    ("payment-failed.sms", include_str!("../../../templates/payment-failed.sms")),
    ("payment-failed.txt", include_str!("../../../templates/payment-failed.txt")),
];
/// How the first line of every `.txt` begins.
const SUBJECT: &str = "Subject:";

/// Templates by name. `NAME.txt` has the subject in its first line and then the text; `NAME.html`, where it is, is the same
/// for programs that show HTML; `NAME.sms`, where it is, is the text of a text message.
///
/// A template's values are the members of the event: `orderId`, `customerId`, `parameters.totalAmount`. In HTML they are
/// escaped. One that is asked for and is not there is an error; `{% if parameters.reason %}` asks whether it is.
#[derive(Debug)]
pub(crate) struct Templates {
    environment: Environment<'static>,
    names: Vec<String>,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// One line.
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub(crate) struct BadTemplate {
    file: String,
    line: usize,
    why: String,
}

/// Why there are no words for an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoWords {
    #[error("there is no template {name:?}{}", .nearest.as_ref().map(|one| format!("; there is {one:?}")).unwrap_or_default())]
    NoTemplate { name: String, nearest: Option<String> },
    /// Its values do not fit.
    #[error("the template {file}, line {line}: {why}")]
    Unfit { file: String, line: usize, why: String },
}

impl Templates {
    /// Of files by their names; every problem of every file.
    pub(crate) fn of(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<BadTemplate>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let (mut names, mut lone, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for (file, source) in files {
            let mut bad =
                |line: usize, why: String| problems.push(BadTemplate { file: file.clone(), line, why });
            let Some((name, kind)) = file.rsplit_once('.') else { continue };
            let source = source.replace("\r\n", "\n");
            let body = if kind == "txt" {
                let (first, rest) = source.split_once('\n').unwrap_or((source.as_str(), ""));
                let Some(subject) = first.strip_prefix(SUBJECT) else {
                    bad(1, format!("the first line is the subject, `{SUBJECT} …`"));
                    continue;
                };
                if let Err(error) =
                    environment.add_template_owned(format!("{name}.subject"), subject.trim().to_owned())
                {
                    bad(1, said(&error));
                }
                names.push(name.to_owned());
                // Its errors have the lines of the file.
                format!("{{#\n#}}{rest}")
            } else {
                lone.push((name.to_owned(), file.clone()));
                source
            };
            if let Err(error) = environment.add_template_owned(file.clone(), body) {
                bad(error.line().unwrap_or(1), said(&error));
            }
        }
        for (name, file) in lone.into_iter().filter(|(name, _)| !names.contains(name)) {
            let why = format!("there is no {name}.txt beside it, which has the subject");
            problems.push(BadTemplate { file, line: 1, why });
        }
        names.sort_unstable();
        if problems.is_empty() { Ok(Self { environment, names }) } else { Err(problems) }
    }

    pub(crate) fn embedded() -> Result<Self, Vec<BadTemplate>> {
        Self::of(EMBEDDED.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())))
    }

    /// What an event's notification says on a channel.
    pub(crate) fn render(
        &self,
        name: &str,
        channel: Channel,
        event: &serde_json::Value,
    ) -> Result<Words, NoWords> {
        if self.names.binary_search_by(|known| known.as_str().cmp(name)).is_err() {
            let nearest = nearest(name, self.names.iter().map(String::as_str)).map(ToOwned::to_owned);
            return Err(NoWords::NoTemplate { name: name.to_owned(), nearest });
        }
        let values = Value::from(Serde(event));
        let file = |kind: &str| -> Result<Option<String>, NoWords> {
            let file = format!("{name}.{kind}");
            let template = match self.environment.get_template(&file) {
                Ok(template) => template,
                Err(error) if error.kind() == ErrorKind::TemplateNotFound => return Ok(None),
                Err(error) => return Err(unfit(file, &error)),
            };
            template.render(&values).map(Some).map_err(|error| unfit(file, &error))
        };
        let subject = file("subject")?.unwrap_or_default();
        // Whatever a value brings along, a subject is one line.
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        let short = if channel == Channel::Sms { file("sms")? } else { None };
        let text = match short {
            Some(text) => text,
            None => file("txt")?.unwrap_or_default(),
        };
        let html = if channel == Channel::Sms { None } else { file("html")? };
        Ok(Words { subject, text: text.trim_start_matches('\n').to_owned(), html })
    }
}

fn unfit(file: String, error: &minijinja::Error) -> NoWords {
    NoWords::Unfit { file, line: error.line().unwrap_or(1), why: said(error) }
}

/// Without values, which may be a customer's.
fn said(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) if error.kind() == ErrorKind::SyntaxError => format!("{}: {detail}", error.kind()),
        _ => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(files: &[(&str, &str)]) -> Result<Templates, Vec<BadTemplate>> {
        Templates::of(files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())))
    }

    fn render(files: &[(&str, &str)], event: &serde_json::Value) -> Result<Words, NoWords> {
        of(files).unwrap().render("greeting", Channel::Email, event)
    }

    #[test]
    fn every_notification_of_the_services_has_words_for_every_channel() {
        let templates = Templates::embedded().unwrap();
        let event = json!({ "orderId": "ORD-1", "parameters": {
            "orderId": "ORD-1", "totalAmount": "119.93", "productId": "PROD-101", "available": 0 } });
        for name in &templates.names {
            for channel in [Channel::Email, Channel::Sms, Channel::Operator] {
                let words = templates.render(name, channel, &event).unwrap();
                assert!(words.subject.contains("ORD-1") || words.subject.contains("PROD-101"), "{words:?}");
                assert!(words.text.contains("ORD-1"), "{words:?}");
                assert!(channel != Channel::Sms || words.html.is_none(), "{words:?}");
                assert!(channel != Channel::Sms || words.text.len() < 200, "{words:?}");
            }
        }
        let email = templates.render("order-confirmed", Channel::Email, &event).unwrap();
        insta::assert_snapshot!(format!(
            "{}\n---\n{}\n---\n{}",
            email.subject,
            email.text,
            email.html.unwrap()
        ));
    }

    #[test]
    fn what_a_value_brings_along_is_escaped_in_html_and_no_line_in_a_subject() {
        let files = [
            ("greeting.txt", "Subject: Hello {{ name }}\n\n{{ name }}!"),
            ("greeting.html", "<p>{{ name }}</p>"),
        ];
        let words = render(&files, &json!({ "name": "<b>Ada</b>\r\nBcc: eve@example.com" })).unwrap();
        assert_eq!(words.subject, "Hello <b>Ada</b> Bcc: eve@example.com");
        assert_eq!(words.html.unwrap(), "<p>&lt;b&gt;Ada&lt;&#x2f;b&gt;\r\nBcc: eve@example.com</p>");
        assert_eq!(words.text, "<b>Ada</b>\r\nBcc: eve@example.com!");
    }

    #[test]
    fn a_value_that_is_missing_is_said_with_its_line_and_can_be_asked_for() {
        let files = [("greeting.txt", "Subject: Hello\n\n{% if name %}x{% endif %}\n{{ name }}")];
        let error = render(&files, &json!({})).unwrap_err();
        assert_eq!(error.to_string(), "the template greeting.txt, line 4: undefined value");
        let asks =
            [("greeting.txt", "Subject: Hello\n\nDear {% if name %}{{ name }}{% else %}friend{% endif %}")];
        assert_eq!(render(&asks, &json!({})).unwrap().text, "Dear friend");
    }

    #[test]
    fn a_template_that_is_not_there_is_named_with_the_one_that_is_nearest() {
        let templates = Templates::embedded().unwrap();
        let error = templates.render("order-confirmd", Channel::Email, &json!({})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no template \"order-confirmd\"; there is \"order-confirmed\""
        );
    }

    #[test]
    fn every_problem_of_every_file_is_said_at_once() {
        let files = [
            ("a.txt", "no subject"),
            ("b.txt", "Subject: {{ b\n\ntext\n{% if %}"),
            ("c.html", "<p>{{ c }}</p>"),
            ("d.txt", "Subject: fine\n\n{{ d }}"),
        ];
        let problems: Vec<String> = of(&files).unwrap_err().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"));
    }
}
