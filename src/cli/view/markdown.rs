//! A plan as a pull request shows it.

use std::fmt::Write;

use super::plan::{Heading, aspect, glyph, summary, transition, verdict};
use super::text::counted;
use crate::plan::{Action, Change, Plan, Verification};
use crate::text::{code, escaped};
use crate::topology::shown;

/// Longer tables are folded away.
const OPEN_ROWS: usize = 20;

/// Reviewing more rows than this in a browser helps nobody, and forges cap a comment's length
/// (GitHub: 65,536 characters).
const MOST_ROWS: usize = 300;

pub(crate) fn render(plan: &Plan, heading: &Heading<'_>) -> String {
    let mut out = format!(
        "### kafkaflow plan\n\n{}\n\n**{}**\n",
        escaped(&heading.line(plan)),
        escaped(&summary(plan))
    );
    let alarms: Vec<&Change> = plan.changes.iter().filter(|change| needs_a_look(change)).collect();
    if !alarms.is_empty() {
        out.push_str("\nLook at these:\n\n");
        for change in alarms.iter().take(MOST_ROWS) {
            attention(&mut out, change);
        }
    }
    if !plan.changes.is_empty() {
        out.push('\n');
        let folded = plan.changes.len() > OPEN_ROWS;
        if folded {
            let _ = write!(out, "<details><summary>{}</summary>\n\n", counted(plan.changes.len(), "change"));
        }
        out.push_str("| | topic | change | risk |\n|---|---|---|---|\n");
        for change in plan.changes.iter().take(MOST_ROWS) {
            row(&mut out, change);
        }
        if plan.changes.len() > MOST_ROWS {
            let _ =
                writeln!(out, "\n… and {} more; `--format json` has all.", plan.changes.len() - MOST_ROWS);
        }
        if folded {
            out.push_str("\n</details>\n");
        }
    }
    unmanaged(&mut out, plan);
    out
}

fn needs_a_look(change: &Change) -> bool {
    !change.reasons.is_empty()
        || change.blocked.is_some()
        || !matches!(change.verification, Verification::Accepted | Verification::NotAsked)
}

fn attention(out: &mut String, change: &Change) {
    let _ =
        write!(out, "- **{}** {} {}", verdict(change), code(change.topic.as_str()), escaped(&what(change)));
    for reason in &change.reasons {
        let _ = write!(out, "<br>{}", escaped(reason));
    }
    if let Some(blocked) = &change.blocked {
        let _ = write!(out, "<br>{}<br>instead: {}", escaped(&blocked.reason), escaped(&blocked.recipe));
    }
    match &change.verification {
        Verification::Refused(words) => {
            let _ = write!(out, "<br>the broker would refuse it: {}", escaped(words));
        }
        Verification::Unverified(right) => {
            let _ = write!(out, "<br>not verified by the broker: needs {}", escaped(right));
        }
        Verification::Accepted | Verification::NotAsked => {}
    }
    out.push('\n');
}

fn row(out: &mut String, change: &Change) {
    let (glyph, _) = glyph(change);
    let _ = writeln!(
        out,
        "| `{glyph}` | {} | {} | {} |",
        code(change.topic.as_str()),
        escaped(&what(change)),
        verdict(change)
    );
}

fn what(change: &Change) -> String {
    match &change.action {
        Action::Create { partitions, replication, configs, dead_letters_of } => {
            let mut text =
                format!("create: {}", counted(usize::try_from(*partitions).unwrap_or(0), "partition"));
            if let Some(replication) = replication {
                let _ = write!(text, ", replication {replication}");
            }
            for (key, value) in configs {
                let _ = write!(text, ", {key}={}", shown(key, value));
            }
            if let Some(source) = dead_letters_of {
                let _ = write!(text, ", dead letters of {source}");
            }
            text
        }
        action => format!("{} {}", aspect(action), transition(action)),
    }
}

fn unmanaged(out: &mut String, plan: &Plan) {
    let unmanaged = &plan.unmanaged;
    let count = unmanaged.topics.len() + unmanaged.settings.len();
    if count == 0 {
        return;
    }
    let _ = write!(
        out,
        "\n<details><summary>Not in the file, left alone: {}, {}</summary>\n\n",
        counted(unmanaged.topics.len(), "topic"),
        counted(unmanaged.settings.len(), "setting")
    );
    for topic in unmanaged.topics.iter().take(MOST_ROWS) {
        let _ = writeln!(out, "- {}", code(topic.as_str()));
    }
    for setting in unmanaged.settings.iter().take(MOST_ROWS) {
        let value =
            setting.value.as_deref().map_or_else(|| "(hidden)".into(), |value| shown(&setting.key, value));
        let _ = writeln!(
            out,
            "- {} {}",
            code(setting.topic.as_str()),
            escaped(&format!("{}={value}", setting.key))
        );
    }
    if count > MOST_ROWS {
        out.push_str("- … `--format json` has all\n");
    }
    out.push_str("\n</details>\n");
}
