//! What every provider keeps, over each of them.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use super::fakes::Fake;
use super::{
    Encryption, FileSink, Letter, Pace, Provider, Sender, Sink, Smtp, SmtpSettings, Webhook, WebhookSettings,
};
use crate::event::Channel;
use crate::runtime::{Condition, HandleError, Health};
use crate::unit::Rate;

const NAME: &str = "the provider";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Smtp,
    Webhook,
    WebhookOfThree,
}

/// A provider, and what is behind it.
struct Test {
    kind: Kind,
    folder: TempDir,
    fake: Option<Fake>,
    health: Health,
    ending: watch::Sender<bool>,
    provider: Provider,
}

impl Test {
    async fn new(kind: Kind) -> Self {
        Self::paced(kind, None).await
    }

    async fn paced(kind: Kind, pace: Option<Pace>) -> Self {
        let folder = TempDir::new().unwrap();
        let fake = match kind {
            Kind::File => None,
            Kind::Smtp => Some(Fake::smtp().await),
            Kind::Webhook | Kind::WebhookOfThree => Some(Fake::webhook().await),
        };
        let port = fake.as_ref().map_or(0, |fake| fake.port);
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "right\n").unwrap();
        if let Some(fake) = &fake {
            fake.script().password = Some("right".to_owned());
        }
        let sink = match kind {
            Kind::File => Sink::File(FileSink::file(folder.path().join("out/letters"))),
            Kind::Smtp => Sink::Smtp(Smtp::new(SmtpSettings {
                host: "127.0.0.1".to_owned(),
                port,
                encryption: Encryption::None,
                login: Some(("orders".to_owned(), secret)),
                from: "Orders <orders@example.com>".parse().unwrap(),
                lists: vec![("operations".to_owned(), "ops@example.com".parse().unwrap())],
                connections: 3,
                timeout: Duration::from_millis(500),
            })),
            Kind::Webhook | Kind::WebhookOfThree => Sink::Webhook(webhook(kind, port, secret)),
        };
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let (health, ending) = (Health::new(), watch::Sender::new(false));
        Self { kind, folder, fake, health, ending, provider: Provider::new(NAME, sink, pace) }
    }

    async fn deliver(&self, letters: &[Letter]) -> Vec<Result<(), HandleError>> {
        let sender = Sender { health: self.health.clone(), ending: self.ending.subscribe() };
        self.provider.deliver(letters, &sender).await
    }

    /// Sends what waits again, when it is told to, until all is sent.
    async fn deliver_all(&self, letters: &[Letter]) {
        let mut left = letters.to_vec();
        while !left.is_empty() {
            let came = self.deliver(&left).await;
            let mut pause = Duration::ZERO;
            let mut came = came.into_iter();
            left.retain(|letter| match came.next().unwrap() {
                Ok(()) => false,
                Err(HandleError::Later { after, .. }) => {
                    pause = pause.max(after);
                    true
                }
                Err(other) => panic!("{letter:?}: {other}"),
            });
            tokio::time::sleep(pause).await;
        }
    }

    /// The ids that arrived, in their order.
    fn taken(&self) -> Vec<String> {
        if let Some(fake) = &self.fake {
            return fake.script().taken.clone();
        }
        let lines = std::fs::read_to_string(self.folder.path().join("out/letters")).unwrap_or_default();
        let id = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["eventId"].as_str().unwrap().to_owned()
        };
        lines.lines().map(id).collect()
    }

    fn answer(&self, to: &str, code: (u16, u16), times: u32) {
        let fake = self.fake.as_ref().unwrap();
        let code = if self.kind == Kind::Smtp { code.0 } else { code.1 };
        fake.script().answers.insert(to.to_owned(), (code, times));
    }

    async fn go_away(&mut self) {
        match &mut self.fake {
            Some(fake) => fake.stop().await,
            None => std::fs::rename(self.folder.path().join("out"), self.folder.path().join("gone")).unwrap(),
        }
    }

    async fn come_back(&mut self) {
        match &mut self.fake {
            Some(fake) => fake.start().await,
            None => std::fs::rename(self.folder.path().join("gone"), self.folder.path().join("out")).unwrap(),
        }
    }

    fn is_fine(&self) -> bool {
        matches!(self.health.parts()[NAME], Condition::Fine(_))
    }
}

fn webhook(kind: Kind, port: u16, token: PathBuf) -> Webhook {
    let settings = WebhookSettings {
        url: format!("http://127.0.0.1:{port}/").parse().unwrap(),
        token: Some(token),
        batch: if kind == Kind::Webhook { 1 } else { 3 },
        connections: 3,
        timeout: Duration::from_millis(500),
    };
    Webhook::new(settings).unwrap()
}

fn letter(id: usize, key: usize, to: &str) -> Letter {
    Letter {
        event_id: format!("evt-{id}"),
        order_id: format!("ORD-{key}"),
        timestamp: "2024-09-01T10:15:32Z".to_owned(),
        channel: Channel::Email,
        to: to.to_owned(),
        template: "order-confirmed".to_owned(),
        subject: "Grüße: Ihre Bestellung".to_owned(),
        text: "Schöne Grüße\n.\nzwei".to_owned(),
        html: id.is_multiple_of(2).then(|| "<p>Schöne Grüße</p>".to_owned()),
        traceparent: None,
    }
}

fn letters(count: usize, keys: usize) -> Vec<Letter> {
    (0..count).map(|id| letter(id, id % keys, "ada@example.com")).collect()
}

fn ids(of: impl IntoIterator<Item = usize>) -> Vec<String> {
    of.into_iter().map(|id| format!("evt-{id}")).collect()
}

async fn every_letter_arrives_once_those_of_a_key_in_their_order(kind: Kind) {
    let test = Test::new(kind).await;
    let mut left = letters(50, 7);
    // What a slice had no time for comes again, as a consumer has it.
    while !left.is_empty() {
        let came = test.deliver(&left).await;
        let later = |one: &Result<(), HandleError>| matches!(one, Err(HandleError::Later { .. }));
        assert!(came.iter().all(|one| one.is_ok() || later(one)), "{came:?}");
        left = left.into_iter().zip(&came).filter(|(_, one)| later(one)).map(|(letter, _)| letter).collect();
    }
    let taken = test.taken();
    assert_eq!(taken.len(), 50);
    for key in 0..7 {
        let of_key: Vec<&String> =
            taken.iter().filter(|id| id[4..].parse::<usize>().unwrap() % 7 == key).collect();
        assert_eq!(of_key, ids((key..50).step_by(7)).iter().collect::<Vec<_>>());
    }
    assert!(test.is_fine());
}

async fn what_is_refused_for_good_holds_nobody_back(kind: Kind) {
    let test = Test::new(kind).await;
    if kind == Kind::File {
        return; // It refuses nothing.
    }
    test.answer("nobody@example.com", (550, 422), 1);
    let sent = [
        letter(0, 0, "ada@example.com"),
        letter(1, 1, "nobody@example.com"),
        letter(2, 1, "ada@example.com"),
    ];
    let came = test.deliver(&sent).await;
    let Err(HandleError::Poison(error)) = &came[1] else { panic!("{came:?}") };
    assert!(error.to_string().starts_with("the provider refuses it: "), "{error}");
    assert!(!error.to_string().contains("nobody@example.com"), "no address in what is logged: {error}");
    assert!(came[0].is_ok() && came[2].is_ok(), "{came:?}");
    assert_eq!(test.taken(), ids([0, 2]));
}

async fn what_fails_for_now_holds_back_its_key_and_no_other(kind: Kind) {
    let test = Test::new(kind).await;
    if kind == Kind::File {
        return; // It takes all or nothing.
    }
    test.answer("later@example.com", (451, 500), 1);
    let sent =
        [letter(0, 0, "later@example.com"), letter(1, 0, "ada@example.com"), letter(2, 2, "ada@example.com")];
    let came = test.deliver(&sent).await;
    assert!(matches!(came[0], Err(HandleError::Transient(_))), "{came:?}");
    assert!(matches!(came[1], Err(HandleError::Later { .. })), "{came:?}");
    assert!(came[2].is_ok(), "{came:?}");
    test.deliver_all(&sent[..2]).await;
    assert_eq!(test.taken(), ids([2, 0, 1]));
}

async fn a_provider_that_is_away_is_waited_for_and_nothing_counts_as_an_attempt(kind: Kind) {
    let mut test = Test::new(kind).await;
    let sent = letters(6, 3);
    // Connections are there, and break.
    test.deliver_all(&sent[..3]).await;
    test.go_away().await;
    let came = test.deliver(&sent[3..]).await;
    for came in &came {
        let Err(HandleError::Later { after, reason }) = came else { panic!("{came:?}") };
        assert!(!after.is_zero(), "{reason}");
    }
    assert!(!test.is_fine());
    test.come_back().await;
    test.deliver_all(&sent[3..]).await;
    assert_eq!(test.taken().len(), 6);
    assert!(test.is_fine());
}

async fn one_that_refuses_us_is_left_alone_until_the_credentials_are_mended(kind: Kind) {
    let test = Test::new(kind).await;
    if kind == Kind::File {
        return; // It knows nobody.
    }
    let secret = test.folder.path().join("secret");
    std::fs::write(&secret, "wrong").unwrap();
    let sent = letters(4, 4);
    let came = test.deliver(&sent).await;
    assert!(came.iter().all(|came| matches!(came, Err(HandleError::Later { .. }))), "{came:?}");
    let Condition::Troubled(why) = test.health.parts()[NAME].clone() else { panic!() };
    assert!(why.starts_with("it refuses us, notifications wait: "), "{why}");
    // Whoever tries again and again with a wrong password is shut out.
    let logins = test.fake.as_ref().unwrap().script().logins;
    let came = test.deliver(&sent).await;
    assert!(came.iter().all(|came| matches!(came, Err(HandleError::Later { .. }))), "{came:?}");
    assert_eq!(test.fake.as_ref().unwrap().script().logins, logins);
    std::fs::write(&secret, "right").unwrap();
    test.deliver_all(&sent).await;
    assert_eq!(test.taken().len(), 4);
    assert!(test.is_fine());
}

async fn no_more_is_sent_than_the_pace_allows(kind: Kind) {
    let pace = Pace { rate: Rate::parse("1/h").unwrap(), burst: NonZeroU32::new(5).unwrap() };
    let test = Test::paced(kind, Some(pace)).await;
    let came = test.deliver(&letters(9, 9)).await;
    assert_eq!(came.iter().filter(|came| came.is_ok()).count(), 5, "{came:?}");
    assert!(came.iter().all(|came| matches!(came, Ok(()) | Err(HandleError::Later { .. }))), "{came:?}");
    assert_eq!(test.taken().len(), 5);
}

async fn a_service_that_ends_sends_nothing_more(kind: Kind) {
    let test = Test::new(kind).await;
    test.ending.send_replace(true);
    let came = test.deliver(&letters(3, 3)).await;
    assert!(came.iter().all(|came| matches!(came, Err(HandleError::Later { .. }))), "{came:?}");
    assert!(test.taken().is_empty());
}

macro_rules! over_every_provider {
    ($($name:ident),* $(,)?) => {
        mod file { $(#[tokio::test] async fn $name() { super::$name(super::Kind::File).await; })* }
        mod smtp { $(#[tokio::test] async fn $name() { super::$name(super::Kind::Smtp).await; })* }
        mod webhook { $(#[tokio::test] async fn $name() { super::$name(super::Kind::Webhook).await; })* }
        mod webhook_of_three { $(#[tokio::test] async fn $name() { super::$name(super::Kind::WebhookOfThree).await; })* }
    };
}

over_every_provider! {
    every_letter_arrives_once_those_of_a_key_in_their_order,
    what_is_refused_for_good_holds_nobody_back,
    what_fails_for_now_holds_back_its_key_and_no_other,
    a_provider_that_is_away_is_waited_for_and_nothing_counts_as_an_attempt,
    one_that_refuses_us_is_left_alone_until_the_credentials_are_mended,
    no_more_is_sent_than_the_pace_allows,
    a_service_that_ends_sends_nothing_more,
}

#[tokio::test]
async fn a_server_that_turns_everybody_away_refuses_no_letter() {
    let mut test = Test::new(Kind::Smtp).await;
    // Its greeting says so, not its answer to a recipient.
    test.fake.as_mut().unwrap().script().closed = Some((554, None));
    let came = test.deliver(&letters(2, 2)).await;
    assert!(came.iter().all(|came| matches!(came, Err(HandleError::Later { .. }))), "{came:?}");
    test.fake.as_mut().unwrap().script().closed = None;
    test.deliver_all(&letters(2, 2)).await;
    assert_eq!(test.taken().len(), 2);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_never_taken_for_that_to_another_letter() {
    let test = Test::new(Kind::Smtp).await;
    test.deliver_all(&letters(3, 3)).await;
    let fake = test.fake.as_ref().unwrap();
    fake.script().mute = true;
    let came = test.deliver(&[letter(7, 7, "ada@example.com")]).await;
    assert!(matches!(came[0], Err(HandleError::Transient(_))), "{came:?}");
    fake.script().mute = false;
    test.answer("nobody@example.com", (550, 422), 1);
    let came = test.deliver(&[letter(8, 8, "nobody@example.com"), letter(9, 9, "ada@example.com")]).await;
    assert!(matches!(came[0], Err(HandleError::Poison(_))), "{came:?}");
    assert!(came[1].is_ok(), "{came:?}");
    assert_eq!(test.taken().last().unwrap(), "evt-9");
}

#[tokio::test]
async fn a_webhook_that_says_when_to_come_again_is_obeyed() {
    let test = Test::new(Kind::Webhook).await;
    let fake = test.fake.as_ref().unwrap();
    fake.script().closed = Some((429, Some(120)));
    let came = test.deliver(&letters(1, 1)).await;
    let Err(HandleError::Later { after, reason }) = &came[0] else { panic!("{came:?}") };
    assert!(*after > Duration::from_secs(110), "{after:?}");
    assert_eq!(reason, "429 Too Many Requests");
    fake.script().closed = None;
    let came = test.deliver(&letters(1, 1)).await;
    assert!(matches!(&came[0], Err(HandleError::Later { .. })), "{came:?}");
    assert!(test.taken().is_empty());
}

#[tokio::test]
async fn a_mail_has_its_events_id_both_texts_and_nothing_that_ends_it_early() {
    let test = Test::new(Kind::Smtp).await;
    let mut sent = letter(2, 2, "operations");
    sent.channel = Channel::Operator;
    test.deliver_all(&[sent]).await;
    let message = test.fake.as_ref().unwrap().script().whole[0].clone();
    let line =
        |start: &str| message.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert_eq!(line("Message-ID"), "Message-ID: <evt-2@example.com>");
    assert_eq!(line("From"), "From: Orders <orders@example.com>");
    assert_eq!(line("To"), "To: ops@example.com");
    assert!(line("Subject").contains("=?utf-8?"), "{message}");
    assert!(message.contains("multipart/alternative") && message.contains("text/html"), "{message}");
}

#[tokio::test]
async fn a_line_that_was_torn_spoils_none_that_follows() {
    let test = Test::new(Kind::File).await;
    let file = test.folder.path().join("out/letters");
    std::fs::write(&file, "{\"eventId\": \"torn").unwrap();
    test.deliver_all(&letters(2, 2)).await;
    let whole = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert_eq!(lines.len(), 3, "{whole}");
    assert_eq!(lines[0], "{\"eventId\": \"torn");
    assert!(lines[2].contains("evt-1"), "{whole}");
}
