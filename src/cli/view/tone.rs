//! Colour by meaning.

use super::screen::Screen;

/// What a text is, not how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Added,
    Changed,
    Removed,
    Alarm,
    Faint,
    Strong,
}

impl Screen {
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Added => "32",
            Tone::Changed => "33",
            Tone::Removed => "35",
            Tone::Alarm => "1;31",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
