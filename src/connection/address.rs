//! `host:port`.

use std::fmt;

/// Where a broker listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address {
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// Kafka's default port is used where the text names none, as librdkafka does.
    const DEFAULT_PORT: u16 = 9092;

    /// Reads `host:port`, `host`, `[ipv6]:port`; a listener prefix as in `SSL://host:port` is
    /// accepted and dropped.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (host, port) = if let Some(rest) = bare.strip_prefix('[') {
            let (host, rest) =
                rest.split_once(']').ok_or_else(|| format!("`{text}` lacks the closing `]`"))?;
            (host, rest.strip_prefix(':'))
        } else {
            match bare.split_once(':') {
                Some((_, rest)) if rest.contains(':') => {
                    return Err(format!("`{text}`: write an IPv6 address in brackets, as in `[::1]:9092`"));
                }
                Some((host, port)) => (host, Some(port)),
                None => (bare, None),
            }
        };
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(format!("`{text}` is not `host:port`"));
        }
        let port = match port {
            None => Self::DEFAULT_PORT,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("`{text}`: `{port}` is not a port (1 to 65535)"))?,
        };
        Ok(Self { host: host.to_owned(), port })
    }

    /// Reads a comma-separated list; every bad entry is named.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<Self>, Vec<String>> {
        let mut addresses = Vec::new();
        let mut problems = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match Self::parse(part) {
                Ok(address) => addresses.push(address),
                Err(problem) => problems.push(problem),
            }
        }
        if addresses.is_empty() && problems.is_empty() {
            problems.push("the list of brokers is empty".to_owned());
        }
        if problems.is_empty() { Ok(addresses) } else { Err(problems) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_kafka_people_write_them() {
        for (text, expected) in [
            ("localhost:9092", "localhost:9092"),
            ("localhost", "localhost:9092"),
            ("SASL_SSL://kafka.example:9094", "kafka.example:9094"),
            ("[::1]:9093", "[::1]:9093"),
            (" 10.0.0.1:1 ", "10.0.0.1:1"),
        ] {
            assert_eq!(Address::parse(text).map(|a| a.to_string()), Ok(expected.to_owned()));
        }
    }

    #[test]
    fn a_bad_address_says_what_is_wrong_with_it() {
        for (text, part) in [
            ("host:port", "`port` is not a port"),
            ("host:0", "not a port"),
            ("host:70000", "not a port"),
            ("::1", "brackets"),
            ("[::1:9092", "closing"),
            (":9092", "is not `host:port`"),
        ] {
            let problem = Address::parse(text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }

    #[test]
    fn every_bad_entry_of_a_list_is_named() {
        assert_eq!(Address::parse_list("a:1,b:x,c:y").unwrap_err().len(), 2);
        assert_eq!(Address::parse_list(" , ").unwrap_err(), ["the list of brokers is empty"]);
    }
}
