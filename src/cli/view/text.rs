//! Running text.

pub(crate) use crate::unit::{counted, grouped};

/// Breaks `text` into lines of at most `width` columns at blanks; a longer word keeps its own line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `text` broken into lines of at most `width` columns, each behind `indent` and ended.
pub(crate) fn indented(text: &str, indent: &str, width: usize) -> String {
    let room = width.saturating_sub(indent.chars().count()).max(20);
    let lines = text.lines().flat_map(|paragraph| wrap(paragraph, room));
    lines.fold(String::new(), |out, line| out + indent + &line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("  unbreakable  x", 4), ["unbreakable", "x"]);
        assert!(wrap("", 4).is_empty());
    }
}
