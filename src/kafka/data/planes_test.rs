//! One configuration logs in on both planes, or is refused by both in the same words.

use std::time::Duration;

use super::Reader;
use crate::connection::{ConnectionConfig, Given, parse_properties};
use crate::kafka::admin::Admin;

fn endpoint(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run this by ./dev test, which starts the brokers"))
}

/// What a plane says: nothing when it was let in.
type Verdict = Result<(), String>;

fn on_the_data_plane(runtime: &tokio::runtime::Runtime, config: &ConnectionConfig) -> Verdict {
    let greeted = Reader::open(config, Duration::from_millis(20))
        .and_then(|mut reader| reader.greet(Duration::from_secs(20)));
    greeted.map_err(|error| runtime.block_on(error.explained(config)).to_string())
}

fn on_the_admin_plane(runtime: &tokio::runtime::Runtime, config: &ConnectionConfig) -> Verdict {
    runtime.block_on(Admin::connect(config.clone())).map(drop).map_err(|error| error.to_string())
}

/// A `client.properties`, and what both planes must say of it.
fn table(folder: &std::path::Path) -> Vec<(String, Option<&'static str>)> {
    let certs = endpoint("KAFKAFLOW_TEST_CERTS");
    let sasl = format!(
        "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\nssl.ca.location={certs}/ca.pem\n",
        endpoint("KAFKAFLOW_TEST_SASL_SSL")
    );
    let login = |mechanism: &str, password: &str| {
        format!("{sasl}sasl.mechanism={mechanism}\nsasl.username=admin\nsasl.password={password}\n")
    };
    let mtls = format!(
        "bootstrap.servers={}\nsecurity.protocol=SSL\nssl.ca.location={certs}/ca.pem\n",
        endpoint("KAFKAFLOW_TEST_MTLS")
    );
    let one_line = |file: &str| {
        let pem = std::fs::read_to_string(format!("{certs}/{file}")).unwrap();
        pem.trim_end().replace('\n', "\\n\\\n")
    };
    let token = folder.join("token");
    let claims = base64::Engine::encode(
        &base64::prelude::BASE64_URL_SAFE_NO_PAD,
        br#"{"sub":"admin","iat":1,"exp":9999999999}"#,
    );
    std::fs::write(&token, format!("eyJhbGciOiJub25lIn0.{claims}.\n")).unwrap();
    let plaintext = format!("bootstrap.servers={}\n", endpoint("KAFKAFLOW_TEST_BROKERS"));
    vec![
        (plaintext.clone(), None),
        (format!("{plaintext}acks=all\nkey.deserializer=org.example.X\nlinger.ms=5\n"), None),
        (login("PLAIN", "admin-secret"), None),
        (login("SCRAM-SHA-256", "admin-secret"), None),
        (login("SCRAM-SHA-512", "admin-secret"), None),
        (
            format!(
                "{sasl}sasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
                 required username=\"admin\" password=\"admin-secret\";\nssl.truststore.type=PEM\n"
            ),
            None,
        ),
        (
            format!(
                "{sasl}sasl.mechanism=OAUTHBEARER\nkafkaflow.oauthbearer.token.file={}\n",
                token.display()
            ),
            None,
        ),
        (
            format!(
                "{sasl}sasl.mechanism=OAUTHBEARER\nkafkaflow.oauthbearer.token.command=cat {}\n",
                token.display()
            ),
            None,
        ),
        (
            format!(
                "{mtls}ssl.certificate.location={certs}/client.cert.pem\nssl.key.location={certs}/client.key.pem\n"
            ),
            None,
        ),
        (format!("{mtls}ssl.keystore.type=PEM\nssl.keystore.location={certs}/client.pem\n"), None),
        (
            format!(
                "{mtls}ssl.keystore.type=PEM\nssl.keystore.certificate.chain={}\nssl.keystore.key={}\n",
                one_line("client.cert.pem"),
                one_line("client.key.pem")
            ),
            None,
        ),
        (login("PLAIN", "wrong"), Some("login refused")),
        (login("SCRAM-SHA-512", "wrong"), Some("login refused")),
        (
            format!("{sasl}sasl.mechanism=OAUTHBEARER\nkafkaflow.oauthbearer.token.command=false\n"),
            Some("no bearer token: the token command ended with"),
        ),
        (mtls, Some("asks for a client certificate, and none is configured")),
        (
            sasl.replace("SASL_SSL\n", "SSL\n").replace(&format!("ssl.ca.location={certs}/ca.pem\n"), ""),
            Some("is not trusted"),
        ),
        (format!("{plaintext}security.protocol=SSL\n"), Some("does not speak TLS")),
        (sasl.replace("SASL_SSL\n", "PLAINTEXT\n"), Some("the port speaks TLS")),
        ("bootstrap.servers=127.0.0.1:1\n".to_owned(), Some("nothing listens there")),
    ]
}

#[test]
fn one_configuration_means_the_same_on_both_planes() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (text, expected) in table(folder.path()) {
        let given: Vec<Given> = parse_properties(&text)
            .into_iter()
            .map(|property| Given { key: property.key, value: property.value, origin: String::new() })
            .collect();
        let config =
            ConnectionConfig::build(&given).unwrap_or_else(|problems| panic!("{text}\n{problems:?}"));
        let admin = on_the_admin_plane(&runtime, &config);
        let data = on_the_data_plane(&runtime, &config);
        assert_eq!(data, admin, "{text}");
        match (expected, &data) {
            (None, Ok(())) => {}
            (Some(words), Err(said)) if said.contains(words) => {}
            _ => panic!("expected {expected:?}, found {data:?} for\n{text}"),
        }
    }
}
