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
        writeln!(
            out,
            "::{command} file={},line={line},endLine={end_line},col={column},endColumn={end_column},title={}::{}",
            property(file),
            property(&problem.code.to_string()),
            data(&message)
        )?;
    }
    Ok(())
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
