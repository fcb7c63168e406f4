//! Sessions end (KIP-368): a listener with `connections.max.reauth.ms` hangs up on whoever does not
//! log in again.

use std::time::{Duration, Instant};

use kafka_protocol::messages::MetadataRequest;

use super::connection::Connection;
use super::error::WireError;
use super::tls::TlsSetup;
use crate::connection::{ConnectionConfig, Given};

/// As the test brokers are configured.
const SESSION: Duration = Duration::from_secs(10);

fn config() -> ConnectionConfig {
    let variable = |name: &str| {
        std::env::var(name)
            .unwrap_or_else(|_| panic!("{name} is not set: run this by ./dev test, which starts the brokers"))
    };
    let properties = [
        ("bootstrap.servers", variable("KAFKAFLOW_TEST_REAUTH")),
        ("security.protocol", "SASL_SSL".into()),
        ("sasl.mechanism", "PLAIN".into()),
        ("sasl.username", "admin".into()),
        ("sasl.password", "admin-secret".into()),
        ("ssl.ca.location", format!("{}/ca.pem", variable("KAFKAFLOW_TEST_CERTS"))),
    ];
    let given = properties.map(|(key, value)| Given { key: key.into(), value, origin: "test".into() });
    ConnectionConfig::build(&given).unwrap()
}

#[test]
fn a_connection_outlives_its_session_by_logging_in_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = config();
        let tls = TlsSetup::build(&config.tls).unwrap();
        let open = || Connection::open(&config.bootstrap[0], &config, Some(&tls));
        let (mut renewed, mut left_alone) = (open().await.unwrap(), open().await.unwrap());
        let request = MetadataRequest::default().with_topics(Some(Vec::new()));
        let began = Instant::now();
        let mut calls = 0;
        while began.elapsed() < SESSION + Duration::from_secs(2) {
            renewed.renew(&config).await.unwrap();
            renewed.call(&request).await.unwrap();
            calls += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(calls > 50);
        // The same without logging in again: so it is the login that kept the other one alive.
        let lost = left_alone.call(&request).await.unwrap_err();
        assert!(matches!(lost, WireError::Closed { .. }), "{lost}");
    });
}
