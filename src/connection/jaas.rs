//! `sasl.jaas.config`: one login module, its options.
//!
//! Grammar: `MODULE FLAG key="value" …;` (`org.apache.kafka.common.security.JaasConfig`).

use std::collections::BTreeMap;

/// A parsed `sasl.jaas.config`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Jaas {
    /// The module's class name without its package.
    pub(crate) module: String,
    pub(crate) options: BTreeMap<String, String>,
}

/// Reads a JAAS entry. The message of an error never contains an option's value.
pub(crate) fn parse(text: &str) -> Result<Jaas, String> {
    let mut tokens = tokens(text)?.into_iter().peekable();
    let Some(Token::Word(class)) = tokens.next() else {
        return Err("it must begin with the login module's class name".to_owned());
    };
    let module = class.rsplit('.').next().unwrap_or(&class).to_owned();
    match tokens.next() {
        Some(Token::Word(flag))
            if ["required", "requisite", "sufficient", "optional"]
                .contains(&flag.to_ascii_lowercase().as_str()) => {}
        _ => return Err("after the login module comes `required`".to_owned()),
    }
    let mut options = BTreeMap::new();
    loop {
        match tokens.next() {
            Some(Token::End) => break,
            None => return Err("it must end with `;`".to_owned()),
            Some(Token::Word(key)) => {
                if tokens.next() != Some(Token::Equals) {
                    // Not named: it may be the second half of a password with a blank in it.
                    return Err("an option lacks its `=`; a value with blanks needs quotes".to_owned());
                }
                match tokens.next() {
                    Some(Token::Word(value)) => {
                        if options.insert(key.clone(), value).is_some() {
                            return Err(format!("option `{key}` stands there twice"));
                        }
                    }
                    _ => return Err(format!("option `{key}` lacks its value")),
                }
            }
            Some(Token::Equals) => return Err("an `=` stands where an option's name should".to_owned()),
        }
    }
    if tokens.next().is_some() {
        return Err("more than one login module; kafkaflow logs in with one".to_owned());
    }
    Ok(Jaas { module, options })
}

#[derive(PartialEq, Eq)]
enum Token {
    Word(String),
    Equals,
    End,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(&character) = characters.peek() {
        match character {
            c if c.is_whitespace() => {
                characters.next();
            }
            '=' => {
                characters.next();
                tokens.push(Token::Equals);
            }
            ';' => {
                characters.next();
                tokens.push(Token::End);
            }
            quote @ ('"' | '\'') => {
                characters.next();
                let mut word = String::new();
                loop {
                    match characters.next() {
                        None => return Err(format!("a quote {quote} is not closed")),
                        Some('\\') => word.extend(characters.next()),
                        Some(c) if c == quote => break,
                        Some(c) => word.push(c),
                    }
                }
                tokens.push(Token::Word(word));
            }
            _ => {
                let mut word = String::new();
                while let Some(&c) = characters.peek() {
                    if c.is_whitespace() || matches!(c, '=' | ';' | '"' | '\'') {
                        break;
                    }
                    word.push(c);
                    characters.next();
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scram_entry_is_read_with_quotes_and_escapes() {
        let jaas = parse(
            "org.apache.kafka.common.security.scram.ScramLoginModule required \
             username=\"alice\" password='a\\'b;=\"c';",
        )
        .unwrap();
        assert_eq!(jaas.module, "ScramLoginModule");
        assert_eq!(jaas.options["username"], "alice");
        assert_eq!(jaas.options["password"], "a'b;=\"c");
    }

    #[test]
    fn a_broken_entry_says_what_is_missing_and_never_shows_a_value() {
        for (text, part) in [
            ("", "class name"),
            ("X username=u;", "`required`"),
            ("X required password=\"hunter2\"", "end with `;`"),
            ("X required password=\"hunter2;", "not closed"),
            ("X required password \"hunter2\";", "lacks its `=`"),
            ("X required password=hunter1 hunter2;", "needs quotes"),
            ("X required a=hunter2 a=hunter2;", "twice"),
            ("X required; Y required;", "more than one"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
            assert!(!problem.contains("hunter2"));
        }
    }
}
