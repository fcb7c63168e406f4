//! Someone's text inside Markdown, in a paragraph as in the cell of a table.

/// Plain text on one line: nothing in it is Markdown's or HTML's.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '\\' | '[' | ']' | '~' => {
                out.push('\\');
                out.push(character);
            }
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A name as code.
pub(crate) fn code(text: &str) -> String {
    // Between backticks a bar would need a backslash in a table, which a paragraph would show.
    if text.is_empty() || text.contains(['`', '|', '\n', '\r']) {
        return format!("<code>{}</code>", escaped(text));
    }
    format!("`{text}`")
}

/// Running text: escaped, but for the code that its author put between backticks.
pub(crate) fn prose(text: &str) -> String {
    let text = text.trim();
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) || parts[1..].iter().step_by(2).any(|code| code.is_empty()) {
        return not_a_block(&escaped(text)); // a backtick without its partner
    }
    let marked = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        0 => escaped(part),
        _ => code(part),
    });
    not_a_block(&marked.collect::<String>())
}

/// What would begin a heading, a list or a rule does not.
fn not_a_block(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[digits..].chars().next() {
        Some('#' | '-' | '+' | '=') if digits == 0 => format!("\\{text}"),
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &text[..digits], &text[digits..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_plain() {
        for (text, expected) in [
            ("a|b\nc", "a\\|b c"),
            (
                "<b> & `x` *y* _z_ [l](m) ~n~ \\",
                "&lt;b&gt; &amp; \\`x\\` \\*y\\* \\_z\\_ \\[l\\](m) \\~n\\~ \\\\",
            ),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn code_ends_where_its_text_ends() {
        for (text, expected) in [
            ("orders_v1.x", "`orders_v1.x`"),
            ("a|b", "<code>a\\|b</code>"),
            ("``", "<code>\\`\\`</code>"),
            ("a\nb", "<code>a b</code>"),
        ] {
            assert_eq!(code(text), expected);
        }
    }

    #[test]
    fn prose_keeps_the_code_of_its_author_and_nothing_else() {
        for (text, expected) in [
            ("as `order_placed` and *bold*", "as `order_placed` and \\*bold\\*"),
            ("one ` only", "one \\` only"),
            ("none `` at all", "none \\`\\` at all"),
            ("`<x>`", "`<x>`"),
            ("# no heading", "\\# no heading"),
            ("- no list", "\\- no list"),
            ("12. no list", "12\\. no list"),
            ("12 partitions", "12 partitions"),
            ("", ""),
        ] {
            assert_eq!(prose(text), expected);
        }
    }
}
