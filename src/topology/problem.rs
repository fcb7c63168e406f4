//! What is wrong with a topology file, and the report that collects it.

use std::collections::BTreeSet;
use std::fmt;

use super::rules::Rule;
use crate::text::Span;

/// The stable name of a rule, printed as `KF012`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Code(pub(crate) u16);

impl Code {
    /// Reads `KF012`, in any case; whether a rule has that code is not asked.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.get(..2)?.eq_ignore_ascii_case("kf").then(|| &text[2..])?;
        let whole = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
        whole.then(|| digits.parse().ok().map(Self))?
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("KF{:03}", self.0))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    /// What is wrong, one line without a full stop.
    pub(crate) message: String,
    /// The place, on one line.
    pub(crate) span: Span,
    /// Written under the place; may be empty.
    pub(crate) label: String,
    /// What to type next.
    pub(crate) help: Option<String>,
    /// Other places that belong to it, each with its own label.
    pub(crate) also: Vec<(Span, String)>,
}

impl Problem {
    pub(crate) fn new(rule: &Rule, span: Span, message: impl Into<String>) -> Self {
        Self {
            code: rule.code,
            severity: rule.severity,
            message: message.into(),
            span,
            label: String::new(),
            help: None,
            also: Vec::new(),
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(mut self, span: Span, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }
}

/// Problems kept; a file with more is only counted on, so that memory stays bounded.
const MOST_KEPT: usize = 10_000;
/// Comparisons spent on "did you mean"; a file of thousands of unknown names must not take minutes.
const MOST_COMPARISONS: usize = 200_000;

/// Collects the problems of one file.
#[derive(Debug)]
pub(crate) struct Report {
    problems: Vec<Problem>,
    errors: usize,
    warnings: usize,
    comparisons_left: usize,
    /// Silenced for the whole file.
    pub(crate) allowed: BTreeSet<Code>,
    /// Silenced for the topic that is looked at.
    pub(crate) allowed_here: BTreeSet<Code>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            problems: Vec::new(),
            errors: 0,
            warnings: 0,
            comparisons_left: MOST_COMPARISONS,
            allowed: BTreeSet::new(),
            allowed_here: BTreeSet::new(),
        }
    }
}

/// What a report came to: the problems in the order of their places, and how many there are of
/// each kind (more than `problems` holds when a file has more than ten thousand).
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

impl Report {
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.allowed.contains(&problem.code) || self.allowed_here.contains(&problem.code) {
            return;
        }
        match problem.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.problems.len() < MOST_KEPT {
            self.problems.push(problem);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    pub(crate) fn finish(mut self, text: &str) -> Findings {
        for problem in &mut self.problems {
            problem.span = problem.span.first_line(text);
            for (span, _) in &mut problem.also {
                *span = span.first_line(text);
            }
        }
        self.problems.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        // An alias brings the same mistake again.
        let (errors, warnings) = (&mut self.errors, &mut self.warnings);
        self.problems.dedup_by(|again, first| {
            let same = again == first;
            match again.severity {
                Severity::Error => *errors -= usize::from(same),
                Severity::Warning => *warnings -= usize::from(same),
            }
            same
        });
        Findings { problems: self.problems, errors: self.errors, warnings: self.warnings }
    }

    /// The candidate that someone who typed `word` most likely meant.
    pub(crate) fn nearest<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Option<&'c str> {
        let mut compared = 0;
        let candidates = candidates.into_iter().take(self.comparisons_left).inspect(|_| compared += 1);
        let best = crate::text::nearest(word, candidates);
        self.comparisons_left -= compared;
        best
    }

    /// "did you mean `x`?", or what `otherwise` says.
    pub(crate) fn did_you_mean<'c>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'c str>,
        otherwise: impl FnOnce() -> String,
    ) -> String {
        match self.nearest(word, candidates) {
            Some(candidate) => format!("did you mean `{candidate}`?"),
            None => otherwise(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_any_case_and_printed_in_one() {
        assert_eq!(Code::parse("kf012"), Some(Code(12)));
        assert_eq!(Code(12).to_string(), "KF012");
        for text in ["", "KF", "KF12", "KF0123", "XX012", "é012", "KF+12"] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_nearest_word_is_found_and_a_far_one_is_not() {
        let mut report = Report::default();
        let known = ["partitions", "retention", "replication"];
        assert_eq!(report.nearest("partitons", known), Some("partitions"));
        assert_eq!(report.nearest("retentoin", known), Some("retention"));
        assert_eq!(report.nearest("colour", known), None);
    }
}
