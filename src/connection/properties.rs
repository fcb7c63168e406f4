//! Java's `.properties` text, as `client.properties` files are written.
//!
//! Format: `java.util.Properties.load` — `#`/`!` comments, `=`, `:` or blank as separator,
//! backslash escapes, lines continued by a trailing backslash.

/// One property and the line (1-based) where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) line: usize,
}

/// Reads a properties text; keeps the file's order, and repeated keys (the caller decides).
pub(crate) fn parse_properties(text: &str) -> Vec<Property> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut properties = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, first)) = lines.next() {
        let start = first.trim_start_matches(BLANK);
        if start.is_empty() || start.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = start.to_owned();
        while ends_in_odd_backslashes(&logical) {
            logical.pop();
            match lines.next() {
                Some((_, next)) => logical.push_str(next.trim_start_matches(BLANK)),
                None => break,
            }
        }
        let (key, value) = split(&logical);
        properties.push(Property { key: unescape(key), value: unescape(value), line: index + 1 });
    }
    properties
}

const BLANK: [char; 3] = [' ', '\t', '\u{c}'];

fn ends_in_odd_backslashes(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Cuts at the first unescaped `=`, `:` or blank; blanks around one `=` or `:` belong to it.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match character {
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' | '\u{c}' => {
                let rest = line[at..].trim_start_matches(BLANK);
                let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
                return (&line[..at], rest.trim_start_matches(BLANK));
            }
            _ => {}
        }
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = characters.clone().take(4).collect();
                match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                    Some(decoded) if digits.len() == 4 => {
                        out.push(decoded);
                        characters.nth(3);
                    }
                    _ => out.push_str("\\u"),
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse_properties(text).into_iter().map(|p| (p.key, p.value)).collect()
    }

    #[test]
    fn a_java_file_is_read_as_java_reads_it() {
        let text = "\u{feff}# comment\n! also\n\nbootstrap.servers = a:1,\\\n    b:2\nx:y\nk v\n\
                    password=p\\=w\\\\d \\u00e9\nempty=\n  indented=1\r\n";
        let expected = [
            ("bootstrap.servers", "a:1,b:2"),
            ("x", "y"),
            ("k", "v"),
            ("password", "p=w\\d é"),
            ("empty", ""),
            ("indented", "1"),
        ];
        assert_eq!(pairs(text), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_property_knows_the_line_where_it_begins() {
        let lines: Vec<usize> = parse_properties("a=1\\\n2\n\nb=3").iter().map(|p| p.line).collect();
        assert_eq!(lines, [1, 4]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*|[\\\\=:#!u0-9a \\n]*") {
            parse_properties(&text);
        }
    }
}
