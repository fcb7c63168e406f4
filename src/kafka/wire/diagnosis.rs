//! Why a connection failed, as far as it can be found out: what answers there, and in what tongue.

use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::WireError;
use super::tls::TlsSetup;
use crate::connection::{Address, ConnectionConfig};

/// A second look at the port may take this long; it only improves a message.
const PROBE: Duration = Duration::from_millis(1500);

pub(super) fn server_name(address: &Address) -> Result<ServerName<'static>, WireError> {
    ServerName::try_from(address.host.clone()).map_err(|_| WireError::Unresolved {
        address: address.clone(),
        reason: "not a host name that TLS can verify".into(),
    })
}

/// Is the length that begins a response plausible? Other protocols' first bytes are not.
pub(super) fn of_length(address: &Address, length: u32, limit: usize) -> Result<(), WireError> {
    let address = address.clone();
    let first = length.to_be_bytes();
    match &first {
        // Python's and other small servers answer a bad request with a bare page.
        b"HTTP" | b"<!DO" | b"<htm" | b"<HTM" => Err(WireError::SpeaksHttp { address }),
        // A TLS record: alert (21) or handshake (22), version 3.x.
        [21 | 22, 3, ..] => Err(WireError::SpeaksTls { address, protocol: "" }),
        _ if length as usize <= limit => Ok(()),
        _ if first.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') => {
            Err(WireError::NotKafka { address, what: format!("`{}…`", String::from_utf8_lossy(&first)) })
        }
        _ => Err(WireError::TooLarge { address, bytes: u64::from(length), limit }),
    }
}

/// A read or write failed in the middle of a connection's life.
pub(super) fn of_lost(address: &Address, api: &'static str, error: &std::io::Error) -> WireError {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(rustls::Error::AlertReceived(alert)) = tls {
        return WireError::Tls {
            address: address.clone(),
            reason: format!("the broker sent the alert {alert:?}"),
        };
    }
    match error.kind() {
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => {
            WireError::Closed { address: address.clone(), during: api }
        }
        _ => WireError::Io { address: address.clone(), reason: error.to_string() },
    }
}

/// The TLS handshake failed.
pub(super) async fn of_handshake(
    address: &Address,
    config: &ConnectionConfig,
    tls: &TlsSetup,
    error: &std::io::Error,
) -> WireError {
    if let Some(explained) = tls.explain(address, error) {
        return explained;
    }
    let protocol = config.protocol.name();
    match first_bytes_of_plaintext(address).await {
        Some(Tongue::Kafka) => WireError::SpeaksPlaintext { address: address.clone(), protocol },
        Some(Tongue::Http) => WireError::SpeaksHttp { address: address.clone() },
        Some(Tongue::Tls) | None => WireError::Tls { address: address.clone(), reason: error.to_string() },
    }
}

/// The first request on a new connection (ApiVersions, which needs no login) got no good answer.
pub(super) async fn of_first_answer(
    address: &Address,
    config: &ConnectionConfig,
    tls: Option<&TlsSetup>,
    error: WireError,
) -> WireError {
    let protocol = config.protocol.name();
    match (error, tls) {
        (WireError::SpeaksTls { address, .. }, _) => WireError::SpeaksTls { address, protocol },
        (WireError::Closed { .. } | WireError::Tls { .. } | WireError::Io { .. }, Some(tls))
            if tls.certificate_missing() =>
        {
            WireError::ClientCertificateMissing { address: address.clone() }
        }
        (WireError::Tls { reason, .. }, Some(tls)) if tls.certificate_asked() => {
            WireError::ClientCertificateRefused { address: address.clone(), reason }
        }
        (WireError::Closed { .. }, None) if answers_tls(address).await => {
            WireError::SpeaksTls { address: address.clone(), protocol }
        }
        (WireError::Closed { .. }, None) => match first_bytes_of_http(address).await {
            Some(Tongue::Http) => WireError::SpeaksHttp { address: address.clone() },
            _ => WireError::NotKafka {
                address: address.clone(),
                what: "nothing and closed the connection".into(),
            },
        },
        (WireError::Malformed { reason, .. }, _) => {
            WireError::NotKafka { address: address.clone(), what: reason }
        }
        (other, _) => other,
    }
}

enum Tongue {
    Kafka,
    Http,
    Tls,
}

async fn ask(address: &Address, question: &[u8]) -> Option<Vec<u8>> {
    let asked = async {
        let mut stream = TcpStream::connect((address.host.as_str(), address.port)).await.ok()?;
        stream.write_all(question).await.ok()?;
        let mut answer = vec![0; 16];
        let length = stream.read(&mut answer).await.ok()?;
        answer.truncate(length);
        Some(answer)
    };
    timeout(PROBE, asked).await.ok().flatten()
}

fn tongue(answer: &[u8]) -> Option<Tongue> {
    match answer {
        [b'H', b'T', b'T', b'P', ..] => Some(Tongue::Http),
        [21 | 22, 3, ..] => Some(Tongue::Tls),
        // A response's length, then the correlation id that was asked for.
        [0, _, _, _, 0, 0, 0, 7, ..] => Some(Tongue::Kafka),
        _ => None,
    }
}

/// ApiVersions, version 0, correlation id 7, client id `x`.
const API_VERSIONS: &[u8] = &[0, 0, 0, 11, 0, 18, 0, 0, 0, 0, 0, 7, 0, 1, b'x'];

async fn first_bytes_of_plaintext(address: &Address) -> Option<Tongue> {
    let kafka = ask(address, API_VERSIONS).await.and_then(|answer| tongue(&answer));
    match kafka {
        Some(tongue) => Some(tongue),
        None => first_bytes_of_http(address).await,
    }
}

async fn first_bytes_of_http(address: &Address) -> Option<Tongue> {
    let answer = ask(address, b"GET / HTTP/1.0\r\n\r\n").await?;
    tongue(&answer)
}

/// A TLS server answers a record that is no handshake with an alert, or a handshake with its own.
async fn answers_tls(address: &Address) -> bool {
    let trusting_nobody =
        crate::connection::Tls { trust: None, identity: None, verify_host: true, tls12: true, tls13: true };
    let (Ok(tls), Ok(name)) = (TlsSetup::build(&trusting_nobody), server_name(address)) else { return false };
    let handshake = async {
        let tcp = TcpStream::connect((address.host.as_str(), address.port)).await.ok()?;
        match tls.connector.connect(name, tcp).await {
            Ok(_) => Some(true),
            // A certificate that we do not trust is still a certificate.
            Err(error) => Some(tls.explain(address, &error).is_some()),
        }
    };
    timeout(PROBE, handshake).await.ok().flatten().unwrap_or(false)
}
