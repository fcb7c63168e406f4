//! Problems as GitHub's workflow commands, which annotate the lines of a pull request.

use std::io::{self, Write};

use crate::text::Lines;
use crate::topology::problem::{Problem, Severity};

/// Writes `::error file=…,line=…::…`, one line a problem.
pub(crate) fn write(out: &mut impl Write, file: &str, text: &str, problems: &[Problem]) -> io::Result<()> {
    let lines = Lines::of(text);
    for problem in problems {
        let (line, column) = lines.position(text, problem.span.start);
        let (end_line, end_column) = lines.position(text, problem.span.end);
        let command = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut message = problem.message.clone();
        let label = Some(&problem.label).filter(|label| !label.is_empty());
        for part in label.into_iter().chain(&problem.help) {
            message.push('\n');
            message.push_str(part);
        }
        let place = Place {
            line: line as u64,
            column: column as u64,
            end_line: end_line as u64,
            end_column: end_column as u64,
        };
        annotation(out, command, file, place, &problem.code.to_string(), &message)?;
    }
    Ok(())
}

/// Where an annotation stands; everything counts from 1.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) end_line: u64,
    pub(crate) end_column: u64,
}

/// Writes one annotation; `command` is `error` or `warning`.
pub(crate) fn annotation(
    out: &mut impl Write,
    command: &str,
    file: &str,
    place: Place,
    title: &str,
    message: &str,
) -> io::Result<()> {
    let Place { line, column, end_line, end_column } = place;
    writeln!(
        out,
        "::{command} file={},line={line},endLine={end_line},col={column},endColumn={end_column},title={}::{}",
        property(file),
        property(title),
        data(message)
    )
}

/// Writes an annotation that belongs to no file.
pub(crate) fn notice(out: &mut impl Write, command: &str, title: &str, message: &str) -> io::Result<()> {
    writeln!(out, "::{command} title={}::{}", property(title), data(message))
}

/// As GitHub's own toolkit escapes a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As GitHub's own toolkit escapes a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("100%\r\n::x"), "100%25%0D%0A::x");
        assert_eq!(property("C:\\a,b"), "C%3A\\a%2Cb");
    }
}
