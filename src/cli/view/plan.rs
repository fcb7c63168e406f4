//! A plan as a person reviews it.

use std::fmt::Write;

use super::screen::Screen;
use super::text::{counted, grouped, indented};
use super::tone::Tone;
use crate::plan::{Action, Change, Plan, Risk, Unmanaged, Verification};
use crate::topology::observed::Source;
use crate::topology::shown;

/// What is planned against what.
pub(crate) struct Heading<'a> {
    /// The file's name, or the saved plan's.
    pub(crate) file: &'a str,
    pub(crate) env: Option<&'a str>,
    pub(crate) brokers: usize,
    /// The snapshot's name, when no cluster was asked.
    pub(crate) snapshot: Option<&'a str>,
}

impl Heading<'_> {
    pub(crate) fn line(&self, plan: &Plan) -> String {
        let env = self.env.map_or_else(String::new, |env| format!(" (env {env})"));
        match self.snapshot {
            Some(snapshot) => {
                format!("{}{env} against snapshot {snapshot} of cluster {}", self.file, plan.cluster_id)
            }
            None => format!(
                "{}{env} against cluster {} ({})",
                self.file,
                plan.cluster_id,
                counted(self.brokers, "broker")
            ),
        }
    }
}

/// The whole plan as text.
pub(crate) fn render(plan: &Plan, heading: &Heading<'_>, screen: Screen) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", screen.paint(Tone::Strong, &heading.line(plan)));
    let mut changes = plan.changes.iter().peekable();
    if changes.peek().is_some() {
        out.push('\n');
    }
    while let Some(first) = changes.next() {
        let mut group = vec![first];
        while let Some(next) = changes.next_if(|next| next.topic == first.topic) {
            group.push(next);
        }
        topic(&mut out, &group, screen);
    }
    out.push('\n');
    let _ = write!(out, "{}", indented(&summary(plan), "", screen.width));
    unmanaged(&mut out, &plan.unmanaged, screen);
    out
}

fn topic(out: &mut String, group: &[&Change], screen: Screen) {
    if let [change] = group
        && let Action::Create { .. } = &change.action
    {
        created(out, change, screen);
        return;
    }
    let (mark, tone) =
        if group.iter().any(|change| is_stopped(change)) { ("!", Tone::Alarm) } else { ("~", Tone::Changed) };
    let _ =
        writeln!(out, "{} {}", screen.paint(tone, mark), screen.paint(Tone::Strong, group[0].topic.as_str()));
    let names: Vec<&str> = group.iter().map(|change| aspect(&change.action)).collect();
    let widest = names.iter().map(|name| name.len()).max().unwrap_or(0).min(32);
    for (change, name) in group.iter().zip(names) {
        let (glyph, tone) = glyph(change);
        let text = format!("{glyph} {name:widest$}  {}", transition(&change.action));
        line(out, &format!("    {text}"), 4, tone, verdict(change), screen);
        details(out, change, "        ", screen);
    }
}

fn created(out: &mut String, change: &Change, screen: Screen) {
    let Action::Create { partitions, replication, configs, dead_letters_of } = &change.action else { return };
    let (glyph, tone) = if is_stopped(change) { ("!", Tone::Alarm) } else { ("+", Tone::Added) };
    let text = format!("{glyph} {}", change.topic);
    line(out, &text, 0, tone, if is_stopped(change) { verdict(change) } else { "create" }, screen);
    let mut facts = counted(usize::try_from(*partitions).unwrap_or(0), "partition");
    match replication {
        Some(replication) => {
            let _ = write!(facts, ", replication {replication}");
        }
        None => facts.push_str(", the cluster's default replication"),
    }
    if let Some(source) = dead_letters_of {
        let _ = write!(facts, ", dead letters of {source}");
    }
    out.push_str(&indented(&facts, "    ", screen.width));
    let settings: Vec<String> =
        configs.iter().map(|(key, value)| format!("{key}={}", shown(key, value))).collect();
    if !settings.is_empty() {
        out.push_str(&indented(&settings.join(", "), "    ", screen.width));
    }
    details(out, change, "    ", screen);
}

/// A line with a word at its right end; where both do not fit, the word follows after two blanks.
fn line(out: &mut String, text: &str, glyph_at: usize, tone: Tone, word: &str, screen: Screen) {
    let used = text.chars().count() + word.chars().count();
    let gap = if word.is_empty() { 0 } else { screen.width.saturating_sub(used).max(2) };
    let (indent, rest) = text.split_at(glyph_at);
    let (glyph, rest) = rest.split_at(1);
    let word_tone = match word {
        "destructive" | "blocked" | "refused" => Tone::Alarm,
        "caution" => Tone::Changed,
        _ => Tone::Faint,
    };
    let _ = writeln!(
        out,
        "{indent}{}{rest}{:gap$}{}",
        screen.paint(tone, glyph),
        "",
        screen.paint(word_tone, word)
    );
}

fn details(out: &mut String, change: &Change, indent: &str, screen: Screen) {
    let mut add = |text: &str| out.push_str(&indented(text, indent, screen.width));
    for reason in &change.reasons {
        add(&format!("{reason}."));
    }
    if let Some(blocked) = &change.blocked {
        add(&format!("{}.", blocked.reason));
        add(&format!("instead: {}.", blocked.recipe));
    }
    match &change.verification {
        Verification::Refused(words) => add(&format!("the broker would refuse it: {words}")),
        Verification::Unverified(right) => add(&format!("not verified by the broker: needs {right}.")),
        Verification::Accepted | Verification::NotAsked => {}
    }
}

pub(super) fn is_stopped(change: &Change) -> bool {
    change.blocked.is_some() || matches!(change.verification, Verification::Refused(_))
}

pub(super) fn glyph(change: &Change) -> (&'static str, Tone) {
    if is_stopped(change) {
        return ("!", Tone::Alarm);
    }
    match change.action {
        Action::Create { .. } => ("+", Tone::Added),
        Action::ResetConfig { .. } => ("-", Tone::Removed),
        Action::AddPartitions { .. }
        | Action::SetConfig { .. }
        | Action::PinConfig { .. }
        | Action::RemovePartitions { .. }
        | Action::ChangeReplication { .. } => ("~", Tone::Changed),
    }
}

/// The word that a reviewer looks for: what stops it, else its risk, else what kind of change.
pub(super) fn verdict(change: &Change) -> &'static str {
    if change.blocked.is_some() {
        return "blocked";
    }
    if matches!(change.verification, Verification::Refused(_)) {
        return "refused";
    }
    match (&change.action, change.risk) {
        (Action::PinConfig { .. }, Risk::Safe) => "pin, safe",
        (Action::ResetConfig { .. }, Risk::Safe) => "reset, safe",
        (_, risk) => risk.name(),
    }
}

pub(super) fn aspect(action: &Action) -> &str {
    match action {
        Action::Create { .. } => "topic",
        Action::AddPartitions { .. } | Action::RemovePartitions { .. } => "partitions",
        Action::ChangeReplication { .. } => "replication",
        Action::SetConfig { key, .. } | Action::ResetConfig { key, .. } | Action::PinConfig { key, .. } => {
            key
        }
    }
}

/// Old and new in human units.
pub(super) fn transition(action: &Action) -> String {
    match action {
        Action::Create { .. } => String::new(),
        Action::AddPartitions { from, to } | Action::RemovePartitions { from, to } => {
            format!("{from} -> {to}")
        }
        Action::ChangeReplication { from: (least, most), to } if least == most => format!("{least} -> {to}"),
        Action::ChangeReplication { from: (least, most), to } => format!("{least} to {most} -> {to}"),
        Action::SetConfig { key, from, source, to } => {
            let old = from.as_deref().map_or_else(|| "(none)".to_owned(), |from| shown(key, from));
            format!("{old}{} -> {}", origin(*source), shown(key, to))
        }
        Action::ResetConfig { key, from, to } => {
            let old = from.as_deref().map_or_else(|| "(hidden)".to_owned(), |from| shown(key, from));
            let new = to.as_deref().map_or_else(
                || "the cluster's default".to_owned(),
                |to| format!("{} (inherited)", shown(key, to)),
            );
            format!("{old} -> {new}")
        }
        Action::PinConfig { key, value, source } => {
            let value = shown(key, value);
            format!("{value}{} -> {value}", origin(*source))
        }
    }
}

fn origin(source: Source) -> &'static str {
    match source {
        Source::Topic | Source::Unknown => "",
        Source::Default => " (default)",
        Source::StaticBroker | Source::DynamicBroker => " (broker's)",
        Source::DynamicDefaultBroker => " (cluster's)",
        Source::DynamicBrokerLogger | Source::ClientMetrics | Source::Group => " (inherited)",
    }
}

/// `2 to create, 1 to change, 1 blocked; 5 topics unchanged.`
pub(crate) fn summary(plan: &Plan) -> String {
    let open = plan.changes.iter().filter(|change| !is_stopped(change));
    let count = |wanted: fn(&Action) -> bool| open.clone().filter(|change| wanted(&change.action)).count();
    let parts = [
        (count(|action| matches!(action, Action::Create { .. })), "to create"),
        (
            count(|action| matches!(action, Action::AddPartitions { .. } | Action::SetConfig { .. })),
            "to change",
        ),
        (count(|action| matches!(action, Action::ResetConfig { .. })), "to reset"),
        (count(|action| matches!(action, Action::PinConfig { .. })), "to pin"),
        (plan.blocked().count(), "blocked"),
        (plan.refused().count(), "refused by the broker"),
    ];
    let unchanged = counted(plan.unchanged, "topic");
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() {
        return format!("Nothing to do: {unchanged} as the file says.");
    }
    let mut text = parts.join(", ");
    if plan.unchanged > 0 {
        let _ = write!(text, "; {unchanged} unchanged");
    }
    text.push('.');
    let unverified = plan.unverified().count();
    if unverified > 0 {
        let _ = write!(text, " {} not verified by the broker.", counted(unverified, "change"));
    }
    text
}

const NAMED: usize = 10;

fn unmanaged(out: &mut String, unmanaged: &Unmanaged, screen: Screen) {
    let mut list = |label: &str, names: Vec<String>| {
        if names.is_empty() {
            return;
        }
        let more = names.len().saturating_sub(NAMED);
        let mut text = format!("Not in the file, left alone: {}: ", counted(names.len(), label));
        text.push_str(&names[..names.len() - more].join(", "));
        if more > 0 {
            let _ = write!(text, ", and {} more (--format json names all)", grouped(more));
        }
        out.push_str(&indented(&text, "", screen.width));
    };
    list("topic", unmanaged.topics.iter().map(ToString::to_string).collect());
    let settings = unmanaged.settings.iter().map(|setting| {
        let value =
            setting.value.as_deref().map_or_else(|| "(hidden)".into(), |value| shown(&setting.key, value));
        format!("{} {}={value}", setting.topic, setting.key)
    });
    list("setting", settings.collect());
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
