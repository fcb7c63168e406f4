//! What can go wrong between us and a broker, told apart far enough to say what to type next.

use std::path::PathBuf;
use std::time::Duration;

use crate::connection::Address;

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{address}: the host name cannot be resolved ({reason})")]
    Unresolved { address: Address, reason: String },
    #[error("{address}: nothing listens there (connection refused)")]
    Refused { address: Address },
    #[error("{address}: no answer within {}", seconds(*.after))]
    TimedOut { address: Address, during: &'static str, after: Duration },
    #[error("{address}: {reason}")]
    Io { address: Address, reason: String },
    #[error("{address}: an HTTP server answers there, not a Kafka broker")]
    SpeaksHttp { address: Address },
    #[error("{address}: the port speaks TLS, but security.protocol is {protocol}")]
    SpeaksTls { address: Address, protocol: &'static str },
    #[error("{address}: the port does not speak TLS, but security.protocol is {protocol}")]
    SpeaksPlaintext { address: Address, protocol: &'static str },
    #[error("{address}: what answers there is no Kafka broker (it sent {what})")]
    NotKafka { address: Address, what: String },
    #[error("{address}: the broker's certificate is not trusted ({reason})")]
    UntrustedCertificate { address: Address, reason: String },
    #[error("{address}: the broker's certificate does not name the host `{host}`{valid}")]
    WrongHost { address: Address, host: String, valid: String },
    #[error("{address}: the broker asks for a client certificate, and none is configured")]
    ClientCertificateMissing { address: Address },
    #[error("{address}: the broker refused our client certificate ({reason})")]
    ClientCertificateRefused { address: Address, reason: String },
    #[error("{address}: TLS failed: {reason}")]
    Tls { address: Address, reason: String },
    #[error("{address}: the broker does not offer {mechanism}, it offers {offered}")]
    MechanismNotOffered { address: Address, mechanism: &'static str, offered: String },
    #[error("{address}: login refused: {words}")]
    LoginRefused { address: Address, mechanism: &'static str, words: String },
    #[error("{address}: the listener takes no SASL login, but security.protocol is {protocol}")]
    LoginUnexpected { address: Address, protocol: &'static str },
    #[error("{address}: the broker hung up on a request without a login; the listener demands one")]
    LoginExpected { address: Address, protocol: &'static str },
    #[error("no bearer token: {reason}")]
    NoToken { reason: String },
    #[error("{}: {reason}", .path.display())]
    File { path: PathBuf, reason: String },
    #[error("{property}: {reason}")]
    Setting { property: &'static str, reason: String },
    #[error("{address}: the connection was lost while waiting for {during}")]
    Closed { address: Address, during: &'static str },
    #[error("{address}: a response of {bytes} bytes exceeds the limit of {limit}")]
    TooLarge { address: Address, bytes: u64, limit: usize },
    #[error("{address}: the response to {api} cannot be read: {reason}")]
    Malformed { address: Address, api: &'static str, reason: String },
    #[error("{address}: the broker does not know {api} in a version that kafkaflow speaks{range}")]
    Unsupported { address: Address, api: &'static str, range: String },
    #[error("the cluster names no broker {0}")]
    UnknownBroker(i32),
    #[error("none of the brokers could be reached:{}", listed(.0))]
    NoneReached(Vec<WireError>),
}

fn seconds(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) { format!("{} s", millis / 1000) } else { format!("{millis} ms") }
}

fn listed(errors: &[WireError]) -> String {
    errors.iter().fold(String::new(), |list, error| list + "\n  - " + &error.to_string())
}

impl WireError {
    /// Would another broker, or another attempt, answer the same? Then trying is a waste, and with
    /// a wrong password harmful (accounts get locked).
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Unresolved { .. }
            | Self::Refused { .. }
            | Self::TimedOut { .. }
            | Self::Io { .. }
            | Self::SpeaksHttp { .. }
            | Self::NotKafka { .. }
            | Self::WrongHost { .. }
            | Self::Closed { .. }
            | Self::UnknownBroker(_)
            | Self::NoneReached(_) => false,
            Self::SpeaksTls { .. }
            | Self::SpeaksPlaintext { .. }
            | Self::UntrustedCertificate { .. }
            | Self::ClientCertificateMissing { .. }
            | Self::ClientCertificateRefused { .. }
            | Self::Tls { .. }
            | Self::MechanismNotOffered { .. }
            | Self::LoginRefused { .. }
            | Self::LoginUnexpected { .. }
            | Self::LoginExpected { .. }
            | Self::NoToken { .. }
            | Self::File { .. }
            | Self::Setting { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::Unsupported { .. } => true,
        }
    }

    /// What to type next.
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::Unresolved { .. } => "check the host's spelling, or give its IP address".into(),
            Self::Refused { .. } => "check host and port, and that the broker runs there".into(),
            Self::TimedOut { during: "connecting", .. } => {
                "a firewall may drop the packets; check host and port".into()
            }
            Self::TimedOut { .. } => {
                "the broker is overloaded or hangs; request.timeout.ms raises the limit".into()
            }
            Self::SpeaksHttp { .. } | Self::NotKafka { .. } => {
                "give the port of a Kafka listener (often 9092 or 9094)".into()
            }
            Self::SpeaksTls { protocol, .. } => {
                let fit = if protocol.starts_with("SASL") { "SASL_SSL" } else { "SSL" };
                format!(
                    "-X security.protocol={fit}, and -X ssl.ca.location=CA.pem unless a public authority signed it"
                )
            }
            Self::SpeaksPlaintext { protocol, .. } => {
                let fit = if protocol.starts_with("SASL") { "SASL_PLAINTEXT" } else { "PLAINTEXT" };
                format!("give the TLS listener's port, or -X security.protocol={fit}")
            }
            Self::UntrustedCertificate { .. } => {
                "name the certificate of the authority that signed it: -X ssl.ca.location=CA.pem".into()
            }
            Self::WrongHost { .. } => {
                "use a name that the certificate has, or -X ssl.endpoint.identification.algorithm=none".into()
            }
            Self::ClientCertificateMissing { .. } => {
                "-X ssl.certificate.location=CLIENT.pem -X ssl.key.location=CLIENT.key".into()
            }
            Self::ClientCertificateRefused { .. } => {
                "ask whoever runs the brokers which authority must have signed it".into()
            }
            Self::MechanismNotOffered { .. } => "set sasl.mechanism to one of these".into(),
            Self::LoginRefused { mechanism: "OAUTHBEARER", .. } => {
                "check the token: its expiry, audience and signature".into()
            }
            Self::LoginRefused { .. } => "check sasl.username and sasl.password (or sasl.jaas.config)".into(),
            Self::LoginUnexpected { protocol, .. } => {
                let fit = if *protocol == "SASL_SSL" { "SSL" } else { "PLAINTEXT" };
                format!("-X security.protocol={fit}, or give the port of a SASL listener")
            }
            Self::LoginExpected { protocol, .. } => {
                let fit = if *protocol == "SSL" { "SASL_SSL" } else { "SASL_PLAINTEXT" };
                format!("-X security.protocol={fit} with sasl.mechanism, sasl.username and sasl.password")
            }
            Self::NoneReached(errors) => return errors.iter().find_map(Self::help),
            Self::Io { .. }
            | Self::Tls { .. }
            | Self::NoToken { .. }
            | Self::File { .. }
            | Self::Setting { .. }
            | Self::Closed { .. }
            | Self::TooLarge { .. }
            | Self::Malformed { .. }
            | Self::Unsupported { .. }
            | Self::UnknownBroker(_) => return None,
        })
    }
}
