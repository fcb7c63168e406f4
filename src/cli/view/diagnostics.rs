//! Problems of a topology file, each underlined in its text.

use std::fmt;
use std::io::{self, Write};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::excerpt::Excerpt;
use super::screen::Screen;
use crate::text::{Lines, Span};
use crate::topology::problem::{Problem, Severity};

/// Writes problems one below the other.
pub(crate) fn write(
    out: &mut impl Write,
    file: &str,
    text: &str,
    problems: &[Problem],
    screen: Screen,
) -> io::Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let lines = Lines::of(text);
    let excerpt = Excerpt::new(file, text, &lines);
    let theme = if screen.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(screen.width)
        .with_context_lines(1)
        .with_links(false);
    for problem in problems {
        let also = problem.also.iter().map(|(span, _)| *span);
        let shown = Shown {
            problem,
            excerpt: &excerpt,
            // Two places of one endless line would need all that is between them.
            with_also: excerpt.has_short_lines(also.chain([problem.span])),
        };
        let mut report = String::new();
        handler.render_report(&mut report, &shown).map_err(io::Error::other)?;
        for line in report.trim_end().lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

struct Shown<'a> {
    problem: &'a Problem,
    excerpt: &'a Excerpt<'a>,
    with_also: bool,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let at = |span: Span| (span.start, span.end.saturating_sub(span.start));
        let label = Some(self.problem.label.clone()).filter(|label| !label.is_empty());
        let main = LabeledSpan::new_primary_with_span(label, at(self.problem.span));
        let also = self.problem.also.iter().filter(|_| self.with_also);
        let also = also.map(move |(span, label)| LabeledSpan::new_with_span(Some(label.clone()), at(*span)));
        Some(Box::new([main].into_iter().chain(also)))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::topology::{SchemaFiles, load, rules};

    fn rendered(text: &str, env: Option<&str>, width: usize) -> String {
        let loaded = load(text, env, |_| SchemaFiles::from_names(["OrderPlaced.v1.json"]));
        let mut out = Vec::new();
        let screen = Screen { width, colour: false };
        write(&mut out, "topology.yaml", text, &loaded.problems, screen).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn every_rule(width: usize) -> String {
        rules::ALL.into_iter().fold(String::new(), |mut all, rule| {
            write!(all, "{}", rendered(rule.wrong, rule.environment, width)).unwrap();
            all
        })
    }

    #[test]
    fn every_rule_is_shown_at_80_columns() {
        insta::assert_snapshot!(every_rule(80));
    }

    #[test]
    fn every_rule_is_shown_at_120_columns() {
        insta::assert_snapshot!(every_rule(120));
    }

    #[test]
    fn of_an_endless_line_only_the_part_around_the_place_is_shown() {
        let text = format!("version: 1\ntopics: [{}]\n", "{ name: a, partitions: 1 }, ".repeat(1000));
        let shown = rendered(&text, None, 80);
        assert!(shown.contains("`a` is there twice"));
        assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
    }

    #[test]
    fn colour_is_used_only_where_it_is_wanted() {
        let loaded = load("version: 2\n", None, |_| SchemaFiles::Unchecked);
        let shown = |colour| {
            let mut out = Vec::new();
            let screen = Screen { width: 80, colour };
            write(&mut out, "topology.yaml", "version: 2\n", &loaded.problems, screen).unwrap();
            out.contains(&0x1b)
        };
        assert!(shown(true) && !shown(false));
    }

    proptest! {
        #[test]
        fn whatever_the_text_its_problems_can_be_shown(
            text in "(version: 1\n|topics:\n|  - |name: |[a-z]{1,3}|: |\n| |\t|\\[|\\]|\\{|\\}|,|&a |\\*a|<<: |\"|'|\\||>|#|!x |---\n|\r|\r\n|\u{0}|\u{1b}|é|漢|\u{feff}|x{300}){0,60}",
            width in 40..121_usize,
        ) {
            let shown = rendered(&text, None, width);
            prop_assert!(!shown.contains('\x1b'), "an escape is shown");
        }
    }
}
