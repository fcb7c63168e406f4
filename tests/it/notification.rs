//! `kafkaflow run notification` on the real brokers, with a real mail server.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::brokers::{ROOT, endpoint, eventually, produce, tool};
use crate::support::stores::postgres;
use crate::support::system::{Running, SOON, System, asks};

const TOPIC: &str = "notification-service.send-notification";

/// A mail server with STARTTLS and a login; ended when this is dropped.
struct MailServer {
    child: Child,
    port: u16,
    mails: PathBuf,
    certificate: PathBuf,
    password: PathBuf,
}

impl MailServer {
    fn start(folder: &Path) -> Self {
        let [certificate, key, password, mails] =
            ["cert.pem", "key.pem", "password", "mails"].map(|name| folder.join(name));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args([Path::new("-keyout"), &key, Path::new("-out"), &certificate])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::create_dir(&mails).unwrap();
        std::fs::write(&password, "right\n").unwrap();
        let mut child = Command::new(format!("{}/python", endpoint("KAFKAFLOW_TEST_PYTHON")))
            .arg(format!("{ROOT}/tests/smtp/server.py"))
            .args([&mails, &certificate, &key])
            .arg("orders")
            .args([&password, Path::new("0")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { port: line.trim().parse().unwrap(), child, mails, certificate, password }
    }

    /// The mails that it took, in their order.
    fn taken(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.mails).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().unwrap() == "eml").collect();
        files.sort();
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    fn run(&self, system: &System, password: &str) -> Running {
        let email = format!("smtp://localhost:{}", self.port);
        let others = "file:letters.ndjson";
        let args = ["--email", &email, "--sms", others, "--operator", others, "--without-address", others];
        let login = [
            "--from",
            "Orders <orders@example.com>",
            "--smtp-user",
            "orders",
            "--smtp-password-file",
            password,
        ];
        let trust = self.certificate.to_str().unwrap();
        system.run_with("notification", &[&args[..], &login].concat(), &[("SSL_CERT_FILE", trust)])
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let start = format!("{name}: ");
    mail.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{name}: {mail}")).trim()
}

#[test]
fn mails_go_through_a_real_server_and_what_it_refuses_is_a_dead_letter() {
    let system = System::new("mails", Some(postgres()));
    system.apply();
    let server = MailServer::start(system.folder.path());
    let service = server.run(&system, "password");
    produce(
        &system.topic(TOPIC),
        &[
            asks(1, "ORD-1", "email", "ada@example.com"),
            asks(2, "ORD-1", "email", "refused@example.com"),
            asks(3, "ORD-1", "email", "busy@example.com"),
            asks(4, "ORD-1", "email", "ada@example.com"),
            asks(5, "ORD-2", "sms", "+15125550100"),
            asks(6, "ORD-3", "operator", "operations"),
            asks(7, "ORD-4", "email", "CUST-42"),
            // Once more, as a producer that was not sure sends it.
            asks(1, "ORD-1", "email", "ada@example.com"),
        ],
    );
    let mails = eventually(SOON, || Some(server.taken()).filter(|mails| mails.len() == 3));
    let ids: Vec<&str> = mails.iter().map(|mail| header(mail, "Message-ID")).collect();
    assert_eq!(ids, ["<evt-1@example.com>", "<evt-3@example.com>", "<evt-4@example.com>"]);
    assert_eq!(header(&mails[1], "To"), "busy@example.com");
    assert_eq!(header(&mails[1], "From"), "Orders <orders@example.com>");
    assert_eq!(header(&mails[1], "Subject"), "Your order ORD-1 is confirmed");
    assert!(mails[1].contains("Total: 119.93") && mails[1].contains("text/html"), "{}", mails[1]);
    let others = eventually(SOON, || Some(system.letters()).filter(|letters| letters.len() == 3));
    let told: BTreeMap<&str, (&str, &str)> = others
        .iter()
        .map(|letter| {
            let text = |name: &str| letter[name].as_str().unwrap();
            (text("to"), (text("channel"), text("text")))
        })
        .collect();
    assert_eq!(told["+15125550100"], ("sms", "Your order ORD-2 is confirmed. Total: 119.93"));
    assert!(told["operations"].1.contains("not enough of PROD-101"), "{told:?}");
    assert_eq!(told["CUST-42"].0, "email");

    let dead = format!("{}.DLT", system.topic(TOPIC));
    let consume =
        ["kafka", "tool", "console-consumer", "--topic", &dead, "--from-beginning", "--max-messages", "1"];
    let letter =
        tool(&[&consume[2..], &["--property", "print.headers=true", "--timeout-ms", "30000"]].concat());
    assert!(letter.contains("evt-2"), "{letter}");
    assert!(letter.contains("kafka_dlt-exception-fqcn:kafkaflow.Poison"), "{letter}");
    assert!(letter.contains("refuses it: 550 5.1.1 <the recipient>: no such mailbox"), "{letter}");
    let metrics = eventually(SOON, || {
        let metrics = service.text("/metrics");
        metrics.contains("outcome=\"refused\"} 1").then_some(metrics)
    });
    assert!(metrics.contains("outcome=\"failed\"} 1"), "{metrics}");
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    for secret in ["ada@example.com", "refused@example.com", "+15125550100", "CUST-42"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_server_that_refuses_our_login_stops_the_work_until_the_password_is_mended() {
    let system = System::new("login", None);
    system.apply();
    let server = MailServer::start(system.folder.path());
    system.folder.write("ours", "wrong");
    let mut service = server.run(&system, "ours");
    let asked: Vec<String> =
        (0..20).map(|id| asks(id, &format!("ORD-{id}"), "email", "ada@example.com")).collect();
    produce(&system.topic(TOPIC), &asked);
    let part = format!("smtp://localhost:{}", server.port);
    let why = eventually(SOON, || {
        let (_, health) = service.get("/healthz");
        let why = health["parts"][&part]["detail"].as_str().unwrap_or_default().to_owned();
        why.starts_with("it refuses us").then_some(why)
    });
    assert!(why.contains("535"), "{why}");
    assert!(server.taken().is_empty());
    let log = service.log();
    assert!(log.contains("ERROR") && log.contains("until its credentials are mended"), "{log}");
    std::fs::copy(&server.password, system.folder.path().join("ours")).unwrap();
    eventually(SOON, || (server.taken().len() == 20).then_some(()));
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    let dead = tool(&["get-offsets", "--topic", &format!("{}.DLT", system.topic(TOPIC))]);
    assert!(dead.trim().ends_with(":0:0"), "{dead}");
}

/// The seed's outage: the service is down, notifications gather, it comes back.
fn after_an_outage_everything_arrives_once_in_order_and_at_the_pace(test: &str, store: Option<String>) {
    const COUNT: usize = 20_000;
    const ORDERS: usize = 4_000;
    const RATE: f64 = 4_000.0;
    let system = System::new(test, store);
    system.apply();
    let asked: Vec<String> =
        (0..COUNT).map(|id| asks(id, &format!("ORD-{}", id % ORDERS), "email", "ada@example.com")).collect();
    produce(&system.topic(TOPIC), &asked);
    let began = Instant::now();
    let place = "file:letters.ndjson";
    let args = [
        "--email",
        place,
        "--without-address",
        place,
        "--rate",
        "4000/s",
        "--burst",
        "100",
        "--batch",
        "500",
    ];
    let service = system.run("notification", &args);
    eventually(SOON, || {
        let length =
            std::fs::metadata(system.folder.path().join("letters.ndjson")).map_or(0, |file| file.len());
        (length > 0 && system.letters().len() >= COUNT).then_some(())
    });
    let took = began.elapsed();
    assert!(took > Duration::from_secs_f64((COUNT as f64 - 100.0) / RATE), "faster than it may be: {took:?}");
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    let mut of_order: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for letter in system.letters() {
        let id = letter["eventId"].as_str().unwrap()[4..].parse().unwrap();
        of_order.entry(letter["orderId"].as_str().unwrap().to_owned()).or_default().push(id);
    }
    assert_eq!(of_order.len(), ORDERS);
    for (order, ids) in of_order {
        let first: usize = order[4..].parse().unwrap();
        assert_eq!(ids, (first..COUNT).step_by(ORDERS).collect::<Vec<_>>(), "{order}");
    }
}

#[test]
fn after_an_outage_everything_arrives_once_in_order_and_at_the_pace_over_sqlite() {
    after_an_outage_everything_arrives_once_in_order_and_at_the_pace("outage-sqlite", None);
}

#[test]
fn after_an_outage_everything_arrives_once_in_order_and_at_the_pace_over_postgresql() {
    after_an_outage_everything_arrives_once_in_order_and_at_the_pace("outage-pg", Some(postgres()));
}

#[test]
fn standard_output_has_a_line_for_every_notification_and_the_log_none() {
    let system = System::new("console", None);
    system.apply();
    let mut service = system.run("notification", &[]);
    let lines = BufReader::new(service.child.stdout.take().unwrap()).lines();
    produce(&system.topic(TOPIC), &[asks(1, "ORD-1", "email", "ada@example.com")]);
    let line = lines.map_while(Result::ok).next().unwrap();
    let letter: Value = serde_json::from_str(&line).unwrap();
    let names: Vec<&String> = letter.as_object().unwrap().keys().collect();
    let expected =
        ["eventId", "orderId", "timestamp", "channel", "to", "template", "subject", "text", "html"];
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
    assert_eq!(letter["subject"], "Your order ORD-1 is confirmed");
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ada@example.com"), "{log}");
}
