//! Logging in: SaslHandshake, then SaslAuthenticate until the mechanism is content (KIP-152); the
//! same again on the open connection before a session ends (KIP-368).

use std::io::Cursor;
use std::process::Stdio;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::prelude::*;
use rsasl::property::{AuthId, OAuthBearerToken, Password};

use super::connection::Connection;
use super::error::WireError;
use crate::connection::{Login, TokenSource, bearer_token};

/// Logs `connection` in. Returns how long the session lasts, when the broker limits it.
pub(super) async fn log_in(
    connection: &mut Connection,
    login: &Login,
) -> Result<Option<Duration>, WireError> {
    let mechanism = login.mechanism();
    let address = connection.address().clone();
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let answer = connection.call(&handshake).await?;
    match ResponseError::try_from_code(answer.error_code) {
        None => {}
        Some(ResponseError::UnsupportedSaslMechanism) => {
            let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
            return Err(WireError::MechanismNotOffered { address, mechanism, offered: offered.join(", ") });
        }
        Some(ResponseError::IllegalSaslState) => {
            let protocol = connection.protocol();
            return Err(WireError::LoginUnexpected { address, protocol });
        }
        Some(other) => return Err(WireError::LoginRefused { address, mechanism, words: other.to_string() }),
    }
    let refused = |words: String| WireError::LoginRefused { address: address.clone(), mechanism, words };
    let credentials = Credentials::fetch(login).await?;
    let config = SASLConfig::builder()
        .with_default_mechanisms()
        .with_callback(credentials)
        .map_err(|error| refused(error.to_string()))?;
    let name = Mechname::parse(mechanism.as_bytes()).map_err(|error| refused(error.to_string()))?;
    let mut session =
        SASLClient::new(config).start_suggested_iter([name]).map_err(|error| refused(error.to_string()))?;
    let mut challenge: Option<Vec<u8>> = None;
    let mut lifetime = None;
    loop {
        let mut out = Cursor::new(Vec::new());
        let bearer_refused =
            mechanism == "OAUTHBEARER" && challenge.as_ref().is_some_and(|text| !text.is_empty());
        let (finished, message) = match session.step(challenge.as_deref(), &mut out) {
            // RFC 7628 §3.2.3: an error challenge is answered by a single %x01; only then does the
            // broker say what it dislikes.
            _ if bearer_refused => (true, vec![1]),
            Ok(state) => (state.is_finished(), out.into_inner()),
            Err(error) => return Err(refused(session_words(&error))),
        };
        if finished && message.is_empty() {
            return Ok(lifetime);
        }
        let request = SaslAuthenticateRequest::default().with_auth_bytes(message.into());
        let answer = connection.call(&request).await?;
        if answer.error_code != 0 {
            let words = answer.error_message.as_ref().map_or_else(
                || {
                    ResponseError::try_from_code(answer.error_code)
                        .map_or("refused".into(), |e| e.to_string())
                },
                ToString::to_string,
            );
            return Err(refused(words));
        }
        // Only the last answer of an exchange names one; SCRAM still has the server's proof to check.
        let millis = u64::try_from(answer.session_lifetime_ms).ok().filter(|millis| *millis > 0);
        lifetime = millis.map(Duration::from_millis);
        let bearer_accepted = mechanism == "OAUTHBEARER" && answer.auth_bytes.is_empty();
        if finished || bearer_accepted {
            return Ok(lifetime);
        }
        challenge = Some(answer.auth_bytes.to_vec());
    }
}

/// rsasl's own words can quote what was exchanged; ours never do.
fn session_words(error: &SessionError) -> String {
    match error {
        SessionError::MutualAuthenticationFailed => {
            "the broker could not prove that it knows the password".to_owned()
        }
        SessionError::MechanismError(_) => "the broker's answer does not fit the mechanism".to_owned(),
        _ => "the exchange of messages failed".to_owned(),
    }
}

/// What the mechanism asks us for.
struct Credentials {
    username: String,
    password: String,
    token: String,
}

impl Credentials {
    async fn fetch(login: &Login) -> Result<Self, WireError> {
        let (username, password, token) = match login {
            Login::Plain { username, password }
            | Login::ScramSha256 { username, password }
            | Login::ScramSha512 { username, password } => {
                (username.clone(), password.expose().to_owned(), String::new())
            }
            Login::OauthBearer(source) => (String::new(), String::new(), token(source).await?),
        };
        Ok(Self { username, password, token })
    }
}

impl SessionCallback for Credentials {
    fn callback(
        &self,
        _: &SessionData,
        _: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if !self.token.is_empty() {
            request.satisfy::<OAuthBearerToken>(&self.token)?;
            return Ok(());
        }
        request.satisfy::<AuthId>(&self.username)?.satisfy::<Password>(self.password.as_bytes())?;
        Ok(())
    }
}

async fn token(source: &TokenSource) -> Result<String, WireError> {
    let no_token = |reason: String| WireError::NoToken { reason };
    let text = match source {
        TokenSource::File(path) => tokio::fs::read_to_string(path)
            .await
            .map_err(|error| no_token(format!("{}: {error}", path.display())))?,
        TokenSource::Command(command) => {
            let child = tokio::process::Command::new("sh")
                .arg("-c")
                .arg(command.expose())
                .stdin(Stdio::null())
                .kill_on_drop(true)
                .output();
            let output =
                child.await.map_err(|error| no_token(format!("the token command did not start: {error}")))?;
            if !output.status.success() {
                // Its stderr may hold what it was given; the exit status is enough to look there.
                return Err(no_token(format!("the token command ended with {}", output.status)));
            }
            String::from_utf8(output.stdout)
                .map_err(|_| no_token("the token command printed no UTF-8".into()))?
        }
    };
    bearer_token(&text).map(str::to_owned).map_err(|reason| no_token(reason.into()))
}
