//! Reaching a cluster, and what is said when it cannot be reached. Every error is provoked on the
//! real brokers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::brokers::{brokers, endpoint};
use crate::support::{Folder, Run};

/// The longest that a person waits for an error, whatever is wrong.
const LIMIT: Duration = Duration::from_secs(10);

fn certificate(name: &str) -> String {
    format!("{}/{name}", endpoint("KAFKAFLOW_TEST_CERTS"))
}

fn snapshot(properties: &[String]) -> Run {
    let mut args = vec!["snapshot".to_owned()];
    for property in properties {
        args.extend(["-X".to_owned(), property.clone()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    Folder::new().run(&args)
}

fn properties(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

fn sasl(mechanism: &str, password: &str) -> Vec<String> {
    properties(&[
        ("bootstrap.servers", &endpoint("KAFKAFLOW_TEST_SASL_SSL")),
        ("security.protocol", "SASL_SSL"),
        ("ssl.ca.location", &certificate("ca.pem")),
        ("sasl.mechanism", mechanism),
        ("sasl.username", "admin"),
        ("sasl.password", password),
    ])
}

#[track_caller]
fn refused(properties: &[String], because: &str, help: &str) {
    let began = Instant::now();
    let run = snapshot(properties);
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains(because), "`{because}` is not in:\n{}", run.stderr);
    assert!(run.stderr.contains(help), "`{help}` is not in:\n{}", run.stderr);
}

#[track_caller]
fn reached(properties: &[String]) {
    let run = snapshot(properties);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let state: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(state["brokers"].as_array().map(Vec::len), Some(3));
}

#[test]
fn every_password_mechanism_logs_in() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        reached(&sasl(mechanism, "admin-secret"));
    }
}

#[test]
fn a_java_properties_file_logs_in_as_it_stands() {
    let folder = Folder::new();
    let text = format!(
        "# as Java has it\nbootstrap.servers = {}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n\
         sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n    \
         username=\"admin\" password=\"admin-secret\";\n\
         ssl.truststore.type=PEM\nssl.truststore.location={}\nacks=all\n",
        endpoint("KAFKAFLOW_TEST_SASL_SSL"),
        certificate("ca.pem")
    );
    folder.write("client.properties", text);
    let run = folder.run(&["snapshot", "--config", "client.properties", "-v"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("acks is of no use to the admin plane"), "{}", run.stderr);
}

#[test]
fn a_client_certificate_logs_in_from_pem_files_of_either_style() {
    let servers = endpoint("KAFKAFLOW_TEST_MTLS");
    let (ca, cert, key) =
        (certificate("ca.pem"), certificate("client.cert.pem"), certificate("client.key.pem"));
    reached(&properties(&[
        ("bootstrap.servers", &servers),
        ("security.protocol", "SSL"),
        ("ssl.ca.location", &ca),
        ("ssl.certificate.location", &cert),
        ("ssl.key.location", &key),
    ]));
    reached(&properties(&[
        ("bootstrap.servers", &servers),
        ("security.protocol", "SSL"),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.location", &ca),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", &certificate("client.pem")),
    ]));
}

/// An unsecured token (`alg: none`), as the test brokers accept it.
fn token(subject: &str, lives_for: i64) -> String {
    use std::time::{SystemTime, UNIX_EPOCH};
    let encode = |text: String| {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut out = String::new();
        for chunk in text.as_bytes().chunks(3) {
            let bits =
                chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            for at in 0..=chunk.len() {
                out.push(char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize]));
            }
        }
        out
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let claims = format!("{{\"sub\":\"{subject}\",\"iat\":{},\"exp\":{}}}", now - 10, now + lives_for);
    format!("{}.{}.", encode("{\"alg\":\"none\"}".into()), encode(claims))
}

#[test]
fn a_bearer_token_comes_from_a_file_a_url_or_a_command() {
    let folder = Folder::new();
    let file = folder.write("token", token("admin", 600) + "\n").display().to_string();
    let sources = [
        ("kafkaflow.oauthbearer.token.file", file.clone()),
        ("sasl.oauthbearer.token.endpoint.url", format!("file://{file}")),
        ("kafkaflow.oauthbearer.token.command", format!("/bin/cat {file}")),
    ];
    for (key, value) in sources {
        let mut properties = sasl("OAUTHBEARER", "unused");
        properties.push(format!("{key}={value}"));
        reached(&properties);
    }
}

#[test]
fn a_bad_token_is_refused_in_the_brokers_words_and_a_missing_one_in_ours() {
    let folder = Folder::new();
    let expired = folder.write("expired", token("admin", -300)).display().to_string();
    let bearer = |key: &str, value: &str| {
        let mut properties = sasl("OAUTHBEARER", "unused");
        properties.push(format!("{key}={value}"));
        properties
    };
    refused(&bearer("kafkaflow.oauthbearer.token.file", &expired), "login refused: ", "its expiry");
    refused(
        &bearer("kafkaflow.oauthbearer.token.file", "/nowhere/token"),
        "no bearer token: /nowhere/token",
        "",
    );
    refused(
        &bearer("kafkaflow.oauthbearer.token.command", "exit 3"),
        "the token command ended with exit status: 3",
        "",
    );
}

#[test]
fn nothing_listening_is_said_at_once() {
    // Bound and let go again: a port that is free for sure.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let servers = format!("127.0.0.1:{port}");
    refused(
        &properties(&[("bootstrap.servers", &servers)]),
        &format!("{servers}: nothing listens there (connection refused)"),
        "check host and port",
    );
}

#[test]
fn an_http_server_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let servers = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 64];
        let _ = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    refused(
        &properties(&[("bootstrap.servers", &servers)]),
        "an HTTP server answers there, not a Kafka broker",
        "give the port of a Kafka listener",
    );
    server.join().unwrap();
}

#[test]
fn a_tls_port_spoken_to_in_plaintext_is_recognised() {
    refused(
        &properties(&[("bootstrap.servers", &endpoint("KAFKAFLOW_TEST_SASL_SSL"))]),
        "the port speaks TLS, but security.protocol is PLAINTEXT",
        "-X security.protocol=SSL",
    );
}

#[test]
fn a_plaintext_port_spoken_to_in_tls_is_recognised() {
    refused(
        &properties(&[
            ("bootstrap.servers", &brokers()),
            ("security.protocol", "SSL"),
            ("ssl.ca.location", &certificate("ca.pem")),
        ]),
        "the port does not speak TLS, but security.protocol is SSL",
        "-X security.protocol=PLAINTEXT",
    );
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let mut properties = sasl("PLAIN", "admin-secret");
    properties.push(format!("ssl.ca.location={}", certificate("other-ca.pem")));
    refused(&properties, "the broker's certificate is not trusted", "-X ssl.ca.location=CA.pem");
}

#[test]
fn a_wrong_password_is_refused_in_the_brokers_words() {
    refused(
        &sasl("PLAIN", "hunter2"),
        "login refused: Authentication failed: Invalid username or password",
        "check sasl.username and sasl.password",
    );
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        refused(&sasl(mechanism, "hunter2"), "login refused: Authentication failed", "check sasl.username");
    }
}

#[test]
fn a_mechanism_that_is_not_offered_names_those_that_are() {
    let mut properties = sasl("SCRAM-SHA-512", "admin-secret");
    properties.push(format!("bootstrap.servers={}", endpoint("KAFKAFLOW_TEST_REAUTH")));
    refused(&properties, "the broker does not offer SCRAM-SHA-512, it offers PLAIN", "set sasl.mechanism");
}

#[test]
fn a_missing_client_certificate_is_named() {
    refused(
        &properties(&[
            ("bootstrap.servers", &endpoint("KAFKAFLOW_TEST_MTLS")),
            ("security.protocol", "SSL"),
            ("ssl.ca.location", &certificate("ca.pem")),
        ]),
        "the broker asks for a client certificate, and none is configured",
        "-X ssl.certificate.location=CLIENT.pem",
    );
}

#[test]
fn a_listener_that_demands_a_login_and_one_that_takes_none_are_told_apart() {
    let ca = certificate("ca.pem");
    refused(
        &properties(&[
            ("bootstrap.servers", &endpoint("KAFKAFLOW_TEST_SASL_SSL")),
            ("security.protocol", "SSL"),
            ("ssl.ca.location", &ca),
        ]),
        "the listener demands one",
        "-X security.protocol=SASL_SSL",
    );
    let mut properties = sasl("PLAIN", "admin-secret");
    properties.push("security.protocol=SASL_PLAINTEXT".to_owned());
    properties.push(format!("bootstrap.servers={}", brokers()));
    refused(&properties, "the listener takes no SASL login", "-X security.protocol=PLAINTEXT");
}

#[test]
fn the_second_broker_serves_where_the_first_is_gone() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    reached(&properties(&[("bootstrap.servers", &format!("{free},{}", brokers()))]));
}

#[test]
fn what_cannot_be_honoured_is_refused_before_anything_is_sent() {
    let folder = Folder::new();
    folder.write(
        "client.properties",
        "security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\nssl.truststore.location=trust.jks\n\
         ssl.truststore.password=hunter2\nssl.cipher.suites=TLS_X\n",
    );
    let run = folder.run(&["snapshot", "--config", "client.properties"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(run.stderr);
}

#[test]
fn a_secret_is_never_shown_however_verbose_the_output() {
    let folder = Folder::new();
    let token = token("admin", 600);
    folder.write("token", &token);
    let jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required \
                username=\"admin\" password=\"admin-secret\";";
    let servers = endpoint("KAFKAFLOW_TEST_SASL_SSL");
    let ca = format!("ssl.ca.location={}", certificate("ca.pem"));
    let with = |more: &[&str]| {
        let mut args = vec!["snapshot", "-vv", "-b", &servers, "-X", "security.protocol=SASL_SSL", "-X", &ca];
        for property in more {
            args.extend(["-X", property]);
        }
        folder.run(&args)
    };
    let jaas = format!("sasl.jaas.config={jaas}");
    let runs = [
        with(&["sasl.mechanism=PLAIN", "sasl.username=admin", "sasl.password=admin-secret"]),
        with(&["sasl.mechanism=PLAIN", "sasl.username=admin", "sasl.password=admin-secret-that-is-wrong"]),
        with(&["sasl.mechanism=PLAIN", &jaas]),
        with(&["sasl.mechanism=SCRAM-SHA-256", &jaas]),
        with(&["sasl.mechanism=PLAIN", &jaas.replace(';', "")]),
        with(&["sasl.mechanism=OAUTHBEARER", "kafkaflow.oauthbearer.token.file=token"]),
        with(&["sasl.mechanism=OAUTHBEARER", "kafkaflow.oauthbearer.token.command=echo admin-secret broken"]),
        with(&["sasl.mechanism=OAUTHBEARER", "some.other.property=admin-secret"]),
    ];
    let logged_in = runs.iter().filter(|run| run.code == 0).count();
    assert_eq!(logged_in, 3, "{:?}", runs.iter().map(|run| &run.stderr).collect::<Vec<_>>());
    for run in runs {
        let all = run.stdout + &run.stderr;
        assert!(!all.contains("admin-secret"), "{all}");
        assert!(!all.contains(&token), "{all}");
    }
}
