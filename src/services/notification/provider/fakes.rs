//! Providers on the loopback that do what a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What came, and what is answered.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// The ids of the letters that were taken, in their order.
    pub(crate) taken: Vec<String>,
    /// Whole messages or bodies, as they came.
    pub(crate) whole: Vec<String>,
    /// What is answered to a letter: by its recipient, so often.
    pub(crate) answers: HashMap<String, (u16, u32)>,
    /// What calls are answered before they are looked at; HTTP only: the seconds of Retry-After.
    pub(crate) closed: Option<(u16, Option<u64>)>,
    pub(crate) password: Option<String>,
    /// Takes letters and says nothing.
    pub(crate) mute: bool,
    pub(crate) logins: u32,
}

/// A provider at work on a port of its own.
pub(crate) struct Fake {
    pub(crate) port: u16,
    script: Arc<Mutex<Script>>,
    mail: bool,
    serving: Option<JoinHandle<()>>,
}

impl Fake {
    pub(crate) async fn smtp() -> Self {
        Self::new(true).await
    }

    pub(crate) async fn webhook() -> Self {
        Self::new(false).await
    }

    async fn new(mail: bool) -> Self {
        let mut fake = Self { port: 0, script: Arc::default(), mail, serving: None };
        fake.start().await;
        fake
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Serves, on the port of the first time.
    pub(crate) async fn start(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let script = Arc::clone(&self.script);
        self.serving = Some(if self.mail {
            tokio::spawn(mails(listener, script))
        } else {
            let app = Router::new().route("/", post(calls)).with_state(script);
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() })
        });
    }

    /// Closes its port and every connection.
    pub(crate) async fn stop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            let _ = serving.await;
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

/// What is answered to a letter for this recipient now.
fn answer(script: &mut Script, to: &str) -> Option<u16> {
    let (code, left) = script.answers.get_mut(to)?;
    *left = left.checked_sub(1)?;
    Some(*code)
}

async fn calls(
    State(script): State<Arc<Mutex<Script>>>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, HeaderMap, Json<Value>) {
    let mut script = script.lock().unwrap();
    let mut back = HeaderMap::new();
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let known = script
        .password
        .as_ref()
        .is_none_or(|password| header("authorization") == format!("Bearer {password}"));
    let closed = if known { script.closed } else { Some((401, None)) };
    if let Some((status, after)) = closed {
        if let Some(after) = after {
            back.insert("retry-after", after.into());
        }
        return (StatusCode::from_u16(status).unwrap(), back, Json(Value::Null));
    }
    let body: Value = serde_json::from_str(&body).unwrap();
    let (letters, alone) = match body.clone() {
        Value::Array(letters) => (letters, false),
        one => (vec![one], true),
    };
    let mut results = Vec::new();
    for letter in letters {
        let id = letter["eventId"].as_str().unwrap().to_owned();
        match answer(&mut script, letter["to"].as_str().unwrap()) {
            None => script.taken.push(id),
            Some(status) if alone => {
                assert_eq!(header("idempotency-key"), id);
                return (StatusCode::from_u16(status).unwrap(), back, Json(Value::Null));
            }
            Some(status) => results.push(json!({ "eventId": id, "status": status })),
        }
    }
    script.whole.push(format!("{}{body}", header("idempotency-key")));
    (StatusCode::OK, back, Json(json!({ "results": results })))
}

async fn mails(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut conversations = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        conversations.spawn(converse(stream, Arc::clone(&script)));
    }
}

/// As much of RFC 5321 as a client needs.
async fn converse(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    let closed = script.lock().unwrap().closed;
    let greeting = closed.map_or_else(|| "220 fake".to_owned(), |(code, _)| format!("{code} not now"));
    if stream.write_all(format!("{greeting}\r\n").as_bytes()).await.is_err() || closed.is_some() {
        return;
    }
    let mut stream = BufReader::new(stream);
    let mut known = false;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let (verb, rest) = line.trim_end().split_once([' ', ':']).unwrap_or((line.trim_end(), ""));
        let reply = match verb {
            "EHLO" => "250-fake\r\n250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            "AUTH" => {
                let mut script = script.lock().unwrap();
                script.logins += 1;
                let given = base64::engine::general_purpose::STANDARD
                    .decode(rest.trim_start_matches("PLAIN "))
                    .unwrap();
                let given = String::from_utf8(given).unwrap();
                known = Some(given.rsplit('\0').next().unwrap()) == script.password.as_deref();
                if known { "235 welcome".to_owned() } else { "535 5.7.8 who are you".to_owned() }
            }
            "MAIL" if !known && script.lock().unwrap().password.is_some() => {
                "530 5.7.0 log in first".to_owned()
            }
            "RCPT" => {
                let to = rest.trim_start_matches("TO:").trim_matches(['<', '>']).to_owned();
                match answer(&mut script.lock().unwrap(), &to) {
                    None => "250 fine".to_owned(),
                    Some(code) => format!("{code} 5.1.1 <{to}> is not taken"),
                }
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                let mut message = Vec::new();
                while !message.ends_with(b"\r\n.\r\n") {
                    message.push(stream.read_u8().await.unwrap());
                }
                let message = String::from_utf8(message).unwrap();
                if script.lock().unwrap().mute {
                    return std::future::pending().await;
                }
                let id = message.lines().find_map(|line| line.strip_prefix("Message-ID: <")).unwrap();
                let mut script = script.lock().unwrap();
                script.taken.push(id.split('@').next().unwrap().to_owned());
                script.whole.push(message);
                "250 taken".to_owned()
            }
            "QUIT" => return,
            _ => "250 fine".to_owned(),
        };
        if stream.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
