//! Topic settings: Kafka's keys, with durations and sizes as people write them.

use super::tree::{Entry, Kind};
use super::value::Decoder;
use crate::text::Span;
use crate::topology::file::{Config, Setting, SettingValue};
use crate::topology::rules::{said_twice, setting_value, unknown_setting};
use crate::topology::topic_configs;

pub(super) const RETENTION: &str = "retention.ms";

impl Decoder<'_> {
    pub(super) fn config(&mut self, block: &Entry<'_>) -> Config {
        let example = "write `config: { cleanup.policy: compact }`, or remove the line";
        let Some(entries) = self.mapping(block, example) else {
            return Config::new();
        };
        entries
            .iter()
            .map(|entry| {
                unknown_setting::check(&entry.key, entry.key_span, self.report);
                let setting = self.setting(entry, &entry.key);
                (entry.key.clone().into_owned(), setting)
            })
            .collect()
    }

    /// The value of the setting `key`, in Kafka's text.
    fn setting(&mut self, entry: &Entry<'_>, key: &str) -> Setting {
        let span = entry.value.span;
        let broken = |written: String| Setting { value: SettingValue::Broken, span, written };
        let written = match &entry.value.kind {
            Kind::Null => {
                return Setting {
                    value: SettingValue::Reset,
                    span: if span.start == span.end { entry.key_span } else { span },
                    written: "null".to_owned(),
                };
            }
            Kind::Scalar(text) => text.clone().into_owned(),
            Kind::Sequence(items) if topic_configs::is_list(key) => {
                let words: Option<Vec<&str>> = items
                    .iter()
                    .map(|item| match &item.kind {
                        Kind::Scalar(text) => Some(text.as_ref()),
                        _ => None,
                    })
                    .collect();
                let Some(words) = words else {
                    self.misfit(entry, "a list of words", "write `[compact, delete]`");
                    return broken(String::new());
                };
                words.join(",")
            }
            _ => {
                self.misfit(
                    entry,
                    "a single value",
                    "write a number or a word; `null` resets to the cluster's default",
                );
                return broken(String::new());
            }
        };
        match topic_configs::normalise(key, &written) {
            Ok(text) => Setting { value: SettingValue::Is(text), span, written },
            Err(refusal) => {
                self.report.push(setting_value::problem(span, refusal));
                broken(written)
            }
        }
    }

    pub(super) fn retention_setting(&mut self, entry: &Entry<'_>) -> Setting {
        let broken = Setting { value: SettingValue::Broken, span: entry.value.span, written: String::new() };
        let Kind::Scalar(text) = &entry.value.kind else {
            self.misfit(entry, "a duration", "write `retention: 7d`, or `forever`");
            return broken;
        };
        match topic_configs::duration(text) {
            Ok(millis) => Setting {
                value: SettingValue::Is(millis.to_string()),
                span: entry.value.span,
                written: text.clone().into_owned(),
            },
            Err(error) => {
                self.bad_unit(&entry.key, entry.value.span, &error);
                broken
            }
        }
    }

    pub(super) fn add_retention(&mut self, key_span: Span, setting: Setting, config: &mut Config) {
        if let Some(other) = config.get(RETENTION) {
            self.report.push(said_twice::problem(key_span, &setting, other));
        }
        config.insert(RETENTION.to_owned(), setting);
    }
}
