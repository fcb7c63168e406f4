//! By SMTP.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use tokio::time::Instant;

use super::{Failure, Letter};

/// Idle connections are used no more after so long, and asked whether they live after a shorter time. Servers may close
/// them after five minutes (RFC 5321, 4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(60);
const ASKED: Duration = Duration::from_secs(2);

/// How a server is reached.
#[derive(Clone, Debug)]
pub(crate) struct SmtpSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    /// A name, and the file that has its password; read for every login.
    pub(crate) login: Option<(String, PathBuf)>,
    pub(crate) from: Mailbox,
    /// The addresses of operators' lists.
    pub(crate) lists: Vec<(String, Address)>,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
}

/// How a connection is kept from strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// By TLS from its first byte.
    Tls,
    /// By TLS after a word in the clear (RFC 3207); without it nothing is sent.
    StartTls,
    None,
}

/// A server, and the connections to it that are not in use.
///
/// Connections are our own affair: one on which anything went wrong, or whose answer came too late, is never used again, so
/// that no answer is taken for that to another letter.
pub(crate) struct Smtp {
    settings: SmtpSettings,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.settings.fmt(f)
    }
}

impl Smtp {
    pub(crate) fn new(settings: SmtpSettings) -> Self {
        Self { settings, idle: Mutex::new(Vec::new()) }
    }

    pub(super) fn connections(&self) -> usize {
        self.settings.connections
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let message = self.message(letter).map_err(Failure::Refused)?;
        let mut connection = self.connection().await?;
        let formatted = message.formatted();
        let sending = connection.send(message.envelope(), &formatted);
        match tokio::time::timeout(self.settings.timeout, sending).await {
            Ok(Ok(_)) => {
                self.put_back(connection);
                Ok(())
            }
            Ok(Err(error)) => Err(refused(&error, &letter.to)),
            Err(_) => Err(Failure::Again("no answer in time".to_owned())),
        }
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, Failure> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((mut connection, since)) = idle else { break };
            let quiet = since.elapsed();
            if quiet < ASKED {
                return Ok(connection);
            }
            let asked = tokio::time::timeout(self.settings.timeout, connection.test_connected());
            if quiet < IDLE && asked.await == Ok(true) {
                return Ok(connection);
            }
        }
        let connecting = tokio::time::timeout(self.settings.timeout, connect(&self.settings));
        let away = |reason: String| Failure::Away { after: None, reason };
        connecting.await.unwrap_or_else(|_| Err(away("no connection in time".to_owned())))
    }

    fn put_back(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.settings.connections {
            idle.push((connection, Instant::now()));
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, String> {
        let list = self.settings.lists.iter().find(|(name, _)| *name == letter.to);
        let to = match list {
            Some((_, address)) => address.clone(),
            None => {
                letter.to.parse().map_err(|error| format!("it is addressed to no mail address: {error}"))?
            }
        };
        let from = &self.settings.from;
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.as_str())
            .message_id(Some(format!("<{}@{}>", letter.event_id, from.email.domain())));
        let made = match &letter.html {
            Some(html) => {
                message.multipart(MultiPart::alternative_plain_html(letter.text.clone(), html.clone()))
            }
            None => message.singlepart(SinglePart::plain(letter.text.clone())),
        };
        made.map_err(|error| error.to_string())
    }
}

/// Connects and logs in, with the password that the file has by now.
async fn connect(settings: &SmtpSettings) -> Result<AsyncSmtpConnection, Failure> {
    let name = ClientId::default();
    let unreachable = |error: Error| {
        let reason = said(&error, "");
        // It has no encryption where we ask for it.
        if error.is_client() { Failure::Locked(reason) } else { Failure::Away { after: None, reason } }
    };
    let tls = || TlsParameters::new(settings.host.clone()).map_err(unreachable);
    let wrapped = if settings.encryption == Encryption::Tls { Some(tls()?) } else { None };
    let server = (settings.host.as_str(), settings.port);
    let connecting =
        AsyncSmtpConnection::connect_tokio1(server, Some(settings.timeout), &name, wrapped, None);
    let mut connection = connecting.await.map_err(unreachable)?;
    if settings.encryption == Encryption::StartTls {
        connection.starttls(tls()?, &name).await.map_err(unreachable)?;
    }
    if let Some((user, file)) = &settings.login {
        let password = tokio::fs::read_to_string(file).await.map_err(|error| {
            Failure::Locked(format!("the password file {} cannot be read: {error}", file.display()))
        })?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        let credentials = Credentials::new(user.clone(), password);
        let known = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
        known.map_err(|error| {
            let reason = said(&error, user);
            if error.is_permanent() || error.is_client() {
                Failure::Locked(reason)
            } else {
                Failure::Away { after: None, reason }
            }
        })?;
    }
    Ok(connection)
}

/// What an answer to a letter says of it (RFC 5321, 4.2.1 and 4.2.2; of logins: RFC 4954, 6).
fn refused(error: &Error, to: &str) -> Failure {
    let reason = said(error, to);
    match error.status().map(u16::from) {
        Some(530 | 534 | 535 | 538) => Failure::Locked(reason),
        Some(421) => Failure::Away { after: None, reason },
        Some(500..) => Failure::Refused(reason),
        Some(_) => Failure::Again(reason),
        // The server cannot take an address, or letters, like these.
        None if error.is_client() => Failure::Refused(reason),
        None => Failure::Away { after: None, reason },
    }
}

/// In one line, without the address.
fn said(error: &Error, to: &str) -> String {
    // An answer is said in the server's own words.
    let answer = std::error::Error::source(error).filter(|_| error.status().is_some());
    let words = match (error.status(), answer) {
        (Some(code), Some(answer)) => format!("{code} {answer}"),
        _ => error.to_string(),
    };
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if to.is_empty() { words } else { words.replace(to, "the recipient") }
}
