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
}
