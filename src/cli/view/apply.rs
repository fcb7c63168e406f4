//! What became of a plan.

use std::fmt::Write;

use super::plan::{aspect, transition};
use super::screen::Screen;
use super::tone::Tone;
use crate::cluster::apply::Outcome;
use crate::plan::{Action, Change};

/// One line for one change.
pub(crate) fn line(change: &Change, outcome: &Outcome, screen: Screen) -> String {
    let what = match &change.action {
        Action::Create { .. } => format!("create {}", change.topic),
        action => format!("{} {} {}", change.topic, aspect(action), transition(action)),
    };
    match outcome {
        Outcome::Done => format!("{}     {what}", screen.paint(Tone::Added, "done")),
        Outcome::Failed(why) => format!("{}   {what}: {why}", screen.paint(Tone::Alarm, "failed")),
        Outcome::Skipped(why) => format!("{}  {what}: {why}", screen.paint(Tone::Changed, "skipped")),
    }
}

/// `7 done, 1 failed, 2 skipped.`
pub(crate) fn summary(outcomes: &[Outcome]) -> String {
    let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count();
    let done = count(|outcome| matches!(outcome, Outcome::Done));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let mut text = format!("{done} done");
    if failed > 0 {
        let _ = write!(text, ", {failed} failed");
    }
    if skipped > 0 {
        let _ = write!(text, ", {skipped} skipped");
    }
    text + "."
}
