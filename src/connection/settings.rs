//! Properties put together into a [`ConnectionConfig`].

use std::path::PathBuf;

use super::address::Address;
use super::config::{ConnectionConfig, Login, Pem, Protocol, Tls, TokenSource};
use super::jaas;
use super::secret::Secret;
use super::table::{self, Treatment};

/// A property as given: where it stood, for messages.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) key: String,
    pub(crate) value: String,
    /// `client.properties:3`, `-X`, `-b`, `KAFKAFLOW_BROKERS`.
    pub(crate) origin: String,
}

/// A property that cannot be honoured. Never holds a secret's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionProblem {
    pub(crate) origin: String,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl ConnectionConfig {
    /// Puts properties together; of a repeated key the last one counts. All problems are returned.
    pub(crate) fn build(given: &[Given]) -> Result<Self, Vec<ConnectionProblem>> {
        let mut reader = Reader { given, problems: Vec::new() };
        let config = reader.read();
        if reader.problems.is_empty() { Ok(config) } else { Err(reader.problems) }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;

struct Reader<'a> {
    given: &'a [Given],
    problems: Vec<ConnectionProblem>,
}

impl<'a> Reader<'a> {
    fn get(&self, key: &str) -> Option<&'a Given> {
        self.given.iter().rev().find(|given| given.key == key)
    }

    fn any(&self, keys: &[&str]) -> Option<&'a Given> {
        keys.iter().find_map(|key| self.get(key))
    }

    fn problem(&mut self, at: Option<&Given>, message: impl Into<String>, help: Option<&str>) {
        let origin = at.map_or_else(String::new, |given| given.origin.clone());
        let help = help.map(str::to_owned);
        self.problems.push(ConnectionProblem { origin, message: message.into(), help });
    }

    fn read(&mut self) -> ConnectionConfig {
        let bootstrap = self.bootstrap();
        let protocol = self.protocol();
        let login = if protocol.uses_sasl() { self.login() } else { None };
        let tls = self.tls(protocol);
        let rest = self.rest(protocol);
        ConnectionConfig {
            bootstrap,
            protocol,
            login,
            tls,
            client_id: self.get("client.id").map_or("kafkaflow", |given| &given.value).to_owned(),
            request_timeout: self.millis(&["request.timeout.ms", "socket.timeout.ms"], 30_000),
            connect_timeout: self.millis(
                &["socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.max.ms"],
                8_000,
            ),
            rest,
        }
    }

    fn bootstrap(&mut self) -> Vec<Address> {
        let Some(given) = self.any(&["bootstrap.servers", "metadata.broker.list"]) else {
            self.problem(
                None,
                "no brokers are named",
                Some("give -b HOST:PORT, set KAFKAFLOW_BROKERS, or put bootstrap.servers into the --config file"),
            );
            return Vec::new();
        };
        match Address::parse_list(&given.value) {
            Ok(addresses) => addresses,
            Err(problems) => {
                for problem in problems {
                    self.problem(Some(given), format!("bootstrap.servers: {problem}"), None);
                }
                Vec::new()
            }
        }
    }

    fn protocol(&mut self) -> Protocol {
        let Some(given) = self.get("security.protocol") else { return Protocol::Plaintext };
        Protocol::parse(given.value.trim()).unwrap_or_else(|| {
            self.problem(
                Some(given),
                format!("security.protocol: `{}` is not known", given.value),
                Some("use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"),
            );
            Protocol::Plaintext
        })
    }

    fn login(&mut self) -> Option<Login> {
        let mechanism = self.any(&["sasl.mechanism", "sasl.mechanisms"]);
        let Some(mechanism) = mechanism else {
            self.problem(
                self.get("security.protocol"),
                "sasl.mechanism is missing",
                Some("use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"),
            );
            return None;
        };
        let name = mechanism.value.trim().to_ascii_uppercase();
        match name.as_str() {
            "PLAIN" => self
                .password("PlainLoginModule")
                .map(|(username, password)| Login::Plain { username, password }),
            "SCRAM-SHA-256" => self
                .password("ScramLoginModule")
                .map(|(username, password)| Login::ScramSha256 { username, password }),
            "SCRAM-SHA-512" => self
                .password("ScramLoginModule")
                .map(|(username, password)| Login::ScramSha512 { username, password }),
            "OAUTHBEARER" => self.token_source().map(Login::OauthBearer),
            _ => {
                self.problem(
                    Some(mechanism),
                    format!("sasl.mechanism: `{}` is not supported", mechanism.value),
                    Some("use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"),
                );
                None
            }
        }
    }

    /// User and password, from librdkafka's two properties or from Java's JAAS entry.
    fn password(&mut self, module: &str) -> Option<(String, Secret)> {
        let (user, password) = (self.get("sasl.username"), self.get("sasl.password"));
        if let (Some(user), Some(password)) = (user, password) {
            return Some((user.value.clone(), Secret::new(&password.value)));
        }
        let Some(given) = self.get("sasl.jaas.config") else {
            let missing = match (user, password) {
                (Some(_), None) => "sasl.password is missing",
                (None, Some(_)) => "sasl.username is missing",
                _ => "neither sasl.username and sasl.password nor sasl.jaas.config is given",
            };
            self.problem(self.any(&["sasl.mechanism", "sasl.mechanisms"]), missing, None);
            return None;
        };
        let jaas = self.jaas(given, module)?;
        match (jaas.options.get("username"), jaas.options.get("password")) {
            (Some(user), Some(password)) => Some((user.clone(), Secret::new(password))),
            _ => {
                self.problem(Some(given), "sasl.jaas.config lacks username= or password=", None);
                None
            }
        }
    }

    fn jaas(&mut self, given: &Given, module: &str) -> Option<jaas::Jaas> {
        match jaas::parse(&given.value) {
            Ok(jaas) if jaas.module == module => Some(jaas),
            Ok(jaas) => {
                self.problem(
                    Some(given),
                    format!("sasl.jaas.config names {}, but the mechanism needs {module}", jaas.module),
                    None,
                );
                None
            }
            Err(problem) => {
                self.problem(Some(given), format!("sasl.jaas.config cannot be read: {problem}"), None);
                None
            }
        }
    }

    fn token_source(&mut self) -> Option<TokenSource> {
        if let Some(given) = self.get("sasl.jaas.config") {
            let jaas = self.jaas(given, "OAuthBearerLoginModule")?;
            if let Some(option) = jaas.options.keys().next() {
                self.problem(
                    Some(given),
                    format!("sasl.jaas.config: option `{option}` of OAuthBearerLoginModule is not supported"),
                    Some("have the token written to a file and name it by kafkaflow.oauthbearer.token.file"),
                );
                return None;
            }
        }
        if let Some(given) = self.get("kafkaflow.oauthbearer.token.command") {
            return Some(TokenSource::Command(Secret::new(&given.value)));
        }
        if let Some(given) = self.get("kafkaflow.oauthbearer.token.file") {
            return Some(TokenSource::File(PathBuf::from(&given.value)));
        }
        if let Some(given) = self.get("sasl.oauthbearer.token.endpoint.url") {
            if let Some(path) = given.value.strip_prefix("file://") {
                return Some(TokenSource::File(PathBuf::from(path)));
            }
            self.problem(
                Some(given),
                "sasl.oauthbearer.token.endpoint.url: only file:// URLs are supported",
                Some("fetch the token by a command of yours: kafkaflow.oauthbearer.token.command=…"),
            );
            return None;
        }
        self.problem(
            self.any(&["sasl.mechanism", "sasl.mechanisms"]),
            "OAUTHBEARER needs a token, and nothing says where it comes from",
            Some(
                "set kafkaflow.oauthbearer.token.file, kafkaflow.oauthbearer.token.command or \
                 sasl.oauthbearer.token.endpoint.url=file:///…",
            ),
        );
        None
    }

    fn tls(&mut self, protocol: Protocol) -> Tls {
        let mut tls = Tls { trust: None, identity: None, verify_host: true, tls12: true, tls13: true };
        if !protocol.uses_tls() {
            return tls;
        }
        self.store_types();
        tls.trust = self
            .pem_file(&["ssl.truststore.location", "ssl.ca.location"])
            .or_else(|| self.pem_text(&["ssl.truststore.certificates", "ssl.ca.pem"]));
        let chain = self
            .pem_file(&["ssl.keystore.location", "ssl.certificate.location"])
            .or_else(|| self.pem_text(&["ssl.keystore.certificate.chain", "ssl.certificate.pem"]));
        let key = self
            .pem_file(&["ssl.key.location"])
            .or_else(|| self.pem_text(&["ssl.keystore.key", "ssl.key.pem"]))
            // Java's PEM keystore file holds both.
            .or_else(|| self.pem_file(&["ssl.keystore.location"]));
        tls.identity = match (chain, key) {
            (Some(chain), Some(key)) => Some((chain, key)),
            (None, None) => None,
            (Some(_), None) => {
                let at = self.any(&[
                    "ssl.certificate.location",
                    "ssl.certificate.pem",
                    "ssl.keystore.certificate.chain",
                ]);
                self.problem(at, "the client certificate has no key", Some("set ssl.key.location"));
                None
            }
            (None, Some(_)) => {
                let at = self.any(&["ssl.key.location", "ssl.key.pem", "ssl.keystore.key"]);
                self.problem(at, "the client key has no certificate", Some("set ssl.certificate.location"));
                None
            }
        };
        if let Some(given) = self.get("ssl.endpoint.identification.algorithm") {
            match given.value.trim().to_ascii_lowercase().as_str() {
                "https" => {}
                "" | "none" => tls.verify_host = false,
                _ => self.problem(
                    Some(given),
                    format!("ssl.endpoint.identification.algorithm: `{}` is not known", given.value),
                    Some("use https, or leave the value empty to accept any host name"),
                ),
            }
        }
        self.tls_versions(&mut tls);
        tls
    }

    fn tls_versions(&mut self, tls: &mut Tls) {
        for key in ["ssl.enabled.protocols", "ssl.protocol"] {
            let Some(given) = self.get(key) else { continue };
            let names: Vec<&str> = given.value.split(',').map(str::trim).collect();
            // Java's generic name leaves the choice to the handshake.
            if names.contains(&"TLS") {
                continue;
            }
            let (tls12, tls13) = (names.contains(&"TLSv1.2"), names.contains(&"TLSv1.3"));
            if !tls12 && !tls13 {
                self.problem(
                    Some(given),
                    format!("{key}: none of `{}` is supported", given.value),
                    Some("use TLSv1.2 and TLSv1.3"),
                );
            } else if key == "ssl.enabled.protocols" {
                (tls.tls12, tls.tls13) = (tls12, tls13);
            }
        }
    }

    /// Java's stores are read when they are PEM; the others are refused with the way out.
    fn store_types(&mut self) {
        for (kind, location) in [
            ("ssl.truststore.type", "ssl.truststore.location"),
            ("ssl.keystore.type", "ssl.keystore.location"),
        ] {
            let Some(file) = self.get(location) else { continue };
            let declared = self.get(kind).map_or("JKS", |given| given.value.trim());
            if declared.eq_ignore_ascii_case("PEM") {
                continue;
            }
            let looks_like_pem = [".pem", ".crt", ".cer"].iter().any(|end| file.value.ends_with(end));
            let help = if looks_like_pem && self.get(kind).is_none() {
                format!("if it is PEM, say so: {kind}=PEM")
            } else if kind == "ssl.truststore.type" {
                "keytool -importkeystore -srckeystore STORE -destkeystore trust.p12 -deststoretype PKCS12 && \
                 openssl pkcs12 -in trust.p12 -nokeys -out trust.pem\n\
                 then: ssl.truststore.type=PEM, ssl.truststore.location=trust.pem"
                    .replace("STORE", &file.value)
            } else {
                "keytool -importkeystore -srckeystore STORE -destkeystore key.p12 -deststoretype PKCS12 && \
                 openssl pkcs12 -in key.p12 -nodes -out key.pem\n\
                 then: ssl.keystore.type=PEM, ssl.keystore.location=key.pem"
                    .replace("STORE", &file.value)
            };
            self.problem(
                Some(file),
                format!(
                    "{location}: a store of type {} cannot be read, only PEM",
                    declared.to_ascii_uppercase()
                ),
                Some(&help),
            );
        }
        if let Some(given) = self.get("ssl.key.password").filter(|given| !given.value.is_empty()) {
            self.problem(
                Some(given),
                "ssl.key.password: encrypted private keys cannot be read",
                Some("openssl pkcs8 -in ENCRYPTED.pem -out KEY.pem, and keep KEY.pem readable by you alone"),
            );
        }
    }

    fn pem_file(&self, keys: &[&str]) -> Option<Pem> {
        self.any(keys).map(|given| Pem::File(PathBuf::from(&given.value)))
    }

    fn pem_text(&self, keys: &[&str]) -> Option<Pem> {
        self.any(keys).map(|given| Pem::Inline(Secret::new(&given.value)))
    }

    fn millis(&mut self, keys: &[&str], default: u64) -> std::time::Duration {
        let Some(given) = self.any(keys) else { return std::time::Duration::from_millis(default) };
        let millis = given.value.trim().parse().ok().filter(|millis| (1..=3_600_000).contains(millis));
        std::time::Duration::from_millis(millis.unwrap_or_else(|| {
            self.problem(
                Some(given),
                format!("{}: `{}` is not a number of milliseconds (1 to 3600000)", given.key, given.value),
                None,
            );
            default
        }))
    }

    /// What is left over: for the data plane, unless it concerns security.
    fn rest(&mut self, protocol: Protocol) -> Vec<(String, Secret)> {
        let mut rest: Vec<(String, Secret)> = Vec::new();
        for given in self.given {
            match table::treatment(&given.key, &given.value, protocol) {
                Treatment::Honoured => {}
                Treatment::Kept => {
                    rest.retain(|(key, _)| *key != given.key);
                    rest.push((given.key.clone(), Secret::new(&given.value)));
                }
                Treatment::Refused(help) => {
                    let message =
                        format!("{} is a security property that kafkaflow cannot honour", given.key);
                    self.problem(Some(given), message, Some(help));
                }
            }
        }
        rest
    }
}
