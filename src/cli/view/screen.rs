//! What stands at the other end of an output.

use std::env;
use std::io::{self, IsTerminal};

/// Wider lines than this are hard to read, however wide the window is.
const WIDEST: usize = 120;
const NARROWEST: usize = 40;
const USUAL: usize = 80;

/// How to write for the reader of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Columns.
    pub(crate) width: usize,
    pub(crate) colour: bool,
}

impl Screen {
    pub(crate) fn of_stdout() -> Self {
        Self::of(io::stdout().is_terminal())
    }

    pub(crate) fn of_stderr() -> Self {
        Self::of(io::stderr().is_terminal())
    }

    fn of(terminal: bool) -> Self {
        let window =
            terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        let columns = || env::var("COLUMNS").ok()?.parse().ok();
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            width: window.or_else(columns).unwrap_or(USUAL).clamp(NARROWEST, WIDEST),
            colour: terminal && !no_colour && !dumb,
        }
    }
}
