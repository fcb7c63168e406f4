//! What has to hold in a topology: one file a rule, each with its code, its reason and an example.

use super::draft::Draft;
use super::problem::{Code, Report, Severity};

pub(crate) mod bad_unit;
pub(crate) mod conflicting_settings;
pub(crate) mod copartitioned;
pub(crate) mod count;
pub(crate) mod dlt_missing;
pub(crate) mod dlt_of_dlt;
pub(crate) mod dlt_reason;
pub(crate) mod dlt_retention;
pub(crate) mod duplicate_topic;
pub(crate) mod enough_for_instances;
pub(crate) mod enough_for_rate;
pub(crate) mod listed_twice;
pub(crate) mod min_insync;
pub(crate) mod missing_field;
pub(crate) mod name_collision;
pub(crate) mod naming_scheme;
pub(crate) mod no_rationale;
pub(crate) mod outdated_setting;
pub(crate) mod said_twice;
pub(crate) mod setting_value;
pub(crate) mod topic_name;
pub(crate) mod unknown_allow;
pub(crate) mod unknown_environment;
pub(crate) mod unknown_event;
pub(crate) mod unknown_field;
pub(crate) mod unknown_service;
pub(crate) mod unknown_setting;
pub(crate) mod unknown_topic;
pub(crate) mod unknown_version;
pub(crate) mod unused_service;
pub(crate) mod unused_topic;
pub(crate) mod wrong_kind;
pub(crate) mod yaml_duplicate_key;
pub(crate) mod yaml_syntax;

/// A rule: what it is called, why it exists, and a file that breaks it beside one that keeps it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    /// Whether `allow:` can silence it: Kafka itself would accept the file.
    pub(crate) silenceable: bool,
    /// One line, for the list.
    pub(crate) title: &'static str,
    /// Why it matters, in sentences.
    pub(crate) why: &'static str,
    pub(crate) wrong: &'static str,
    pub(crate) right: &'static str,
    /// The environment that the examples are checked with.
    pub(crate) environment: Option<&'static str>,
}

impl Rule {
    /// What most rules are: an error that nothing silences. The code is unknown until it is set.
    pub(crate) const ERROR: Self = Self {
        code: Code(0),
        severity: Severity::Error,
        silenceable: false,
        title: "",
        why: "",
        wrong: "",
        right: "",
        environment: None,
    };

    pub(crate) const WARNING: Self = Self { severity: Severity::Warning, silenceable: true, ..Self::ERROR };
}

/// Every rule, by code.
pub(crate) const ALL: [&Rule; 34] = [
    &yaml_syntax::RULE,
    &yaml_duplicate_key::RULE,
    &unknown_field::RULE,
    &wrong_kind::RULE,
    &missing_field::RULE,
    &bad_unit::RULE,
    &said_twice::RULE,
    &unknown_environment::RULE,
    &unknown_version::RULE,
    &topic_name::RULE,
    &duplicate_topic::RULE,
    &name_collision::RULE,
    &naming_scheme::RULE,
    &count::RULE,
    &min_insync::RULE,
    &enough_for_instances::RULE,
    &enough_for_rate::RULE,
    &copartitioned::RULE,
    &unknown_setting::RULE,
    &setting_value::RULE,
    &conflicting_settings::RULE,
    &outdated_setting::RULE,
    &dlt_missing::RULE,
    &dlt_retention::RULE,
    &dlt_reason::RULE,
    &dlt_of_dlt::RULE,
    &unknown_service::RULE,
    &unknown_event::RULE,
    &unknown_topic::RULE,
    &listed_twice::RULE,
    &no_rationale::RULE,
    &unused_service::RULE,
    &unused_topic::RULE,
    &unknown_allow::RULE,
];

pub(crate) fn find(code: Code) -> Option<&'static Rule> {
    ALL.into_iter().find(|rule| rule.code == code)
}

/// Checks everything that is about more than one value.
pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for rule in [
        missing_field::check,
        duplicate_topic::check,
        name_collision::check,
        naming_scheme::check,
        min_insync::check,
        enough_for_instances::check,
        enough_for_rate::check,
        copartitioned::check,
        conflicting_settings::check,
        outdated_setting::check,
        dlt_missing::check,
        dlt_retention::check,
        dlt_reason::check,
        dlt_of_dlt::check,
        unknown_service::check,
        unknown_event::check,
        unknown_topic::check,
        no_rationale::check,
        unused_service::check,
        unused_topic::check,
    ] {
        rule(draft, report);
    }
}

#[cfg(test)]
mod tests;
