//! What is known of a cluster before anyone connects to it.

use std::path::PathBuf;

use super::address::Address;
use super::secret::Secret;

/// Everything that the two planes need to reach a cluster.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConnectionConfig {
    pub(crate) bootstrap: Vec<Address>,
    pub(crate) protocol: Protocol,
    /// Present exactly when the protocol is a SASL one.
    pub(crate) login: Option<Login>,
    pub(crate) tls: Tls,
    pub(crate) client_id: String,
    /// How long one request may take.
    pub(crate) request_timeout: std::time::Duration,
    /// How long connecting, TLS and login may take together.
    pub(crate) connect_timeout: std::time::Duration,
    /// What the admin plane has no use for, kept for the data plane; the value may be a secret.
    pub(crate) rest: Vec<(String, Secret)>,
}

/// `security.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    pub(crate) fn uses_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    pub(crate) fn uses_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(text))
    }
}

/// How to log in by SASL.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Login {
    Plain { username: String, password: Secret },
    ScramSha256 { username: String, password: Secret },
    ScramSha512 { username: String, password: Secret },
    OauthBearer(TokenSource),
}

impl Login {
    /// The name that SASL knows the mechanism by.
    pub(crate) fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain { .. } => "PLAIN",
            Self::ScramSha256 { .. } => "SCRAM-SHA-256",
            Self::ScramSha512 { .. } => "SCRAM-SHA-512",
            Self::OauthBearer(_) => "OAUTHBEARER",
        }
    }
}

/// Where a bearer token comes from; it is fetched anew for every login.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenSource {
    File(PathBuf),
    /// A shell command that prints the token.
    Command(Secret),
}

/// The token in what a source gave, or why there is none.
pub(crate) fn bearer_token(text: &str) -> Result<&str, &'static str> {
    let token = text.trim();
    if token.is_empty() {
        return Err("the source of the token is empty");
    }
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("the source holds more than a token (white space within it)");
    }
    Ok(token)
}

/// PEM text, or the file that holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pem {
    File(PathBuf),
    Inline(Secret),
}

/// What TLS needs beyond the protocol's name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tls {
    /// Certificates to trust; `None` = the system's.
    pub(crate) trust: Option<Pem>,
    /// The client's certificate chain and its private key.
    pub(crate) identity: Option<(Pem, Pem)>,
    /// `ssl.endpoint.identification.algorithm`: must the certificate name the host?
    pub(crate) verify_host: bool,
    /// `ssl.enabled.protocols`.
    pub(crate) tls12: bool,
    pub(crate) tls13: bool,
}
