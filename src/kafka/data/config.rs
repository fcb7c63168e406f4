//! The one connection configuration, in librdkafka's words.

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::DataError;
use crate::connection::{ConnectionConfig, Login, Pem, Tls};

/// What every client of the data plane starts from.
pub(super) fn client_config(connection: &ConnectionConfig) -> Result<ClientConfig, DataError> {
    let mut config = ClientConfig::new();
    let bootstrap: Vec<String> = connection.bootstrap.iter().map(ToString::to_string).collect();
    let milliseconds = |duration: std::time::Duration| duration.as_millis().to_string();
    config
        .set("bootstrap.servers", bootstrap.join(","))
        .set("security.protocol", connection.protocol.name())
        .set("client.id", &connection.client_id)
        .set("socket.connection.setup.timeout.ms", milliseconds(connection.connect_timeout))
        .set("socket.timeout.ms", milliseconds(connection.request_timeout))
        // A broker that is back should not be found ten seconds later; Java's clients wait for one second at most.
        .set("reconnect.backoff.max.ms", "1000")
        // A request for another partition must not wait for the acknowledgement of the packet before it.
        .set("socket.nagle.disable", "true")
        .set_log_level(RDKafkaLogLevel::Info);
    if let Some(login) = &connection.login {
        config.set("sasl.mechanisms", login.mechanism());
        match login {
            Login::Plain { username, password }
            | Login::ScramSha256 { username, password }
            | Login::ScramSha512 { username, password } => {
                config.set("sasl.username", username).set("sasl.password", password.expose());
            }
            // The token comes by a callback: `Context`.
            Login::OauthBearer(_) => {}
        }
    }
    if connection.protocol.uses_tls() {
        tls(&mut config, &connection.tls)?;
    }
    for (key, value) in &connection.rest {
        keep(&mut config, key, value.expose())?;
    }
    Ok(config)
}

fn tls(config: &mut ClientConfig, tls: &Tls) -> Result<(), DataError> {
    if !(tls.tls12 && tls.tls13) {
        return Err(DataError::Setting {
            key: "ssl.enabled.protocols".to_owned(),
            reason: "producers and consumers negotiate TLS 1.2 or 1.3; one of them alone cannot be demanded"
                .to_owned(),
        });
    }
    let endpoint = if tls.verify_host { "https" } else { "none" };
    config.set("ssl.endpoint.identification.algorithm", endpoint);
    if let Some(trust) = &tls.trust {
        pem(config, trust, "ssl.ca.location", "ssl.ca.pem");
    }
    if let Some((certificate, key)) = &tls.identity {
        pem(config, certificate, "ssl.certificate.location", "ssl.certificate.pem");
        pem(config, key, "ssl.key.location", "ssl.key.pem");
    }
    Ok(())
}

fn pem(config: &mut ClientConfig, pem: &Pem, location: &str, inline: &str) {
    match pem {
        Pem::File(path) => config.set(location, path.display().to_string()),
        Pem::Inline(text) => config.set(inline, text.expose()),
    };
}

/// Takes over a property that librdkafka knows too. Java's own ones mean nothing here; a value that librdkafka
/// refuses is an error.
fn keep(config: &mut ClientConfig, key: &str, value: &str) -> Result<(), DataError> {
    // What the admin plane judged to be of no use in this protocol would be of none here.
    if key.starts_with("ssl.") || key.starts_with("sasl.") {
        return Ok(());
    }
    let mut alone = ClientConfig::new();
    alone.set(key, value);
    match alone.create_native_config() {
        Ok(_) => {
            config.set(key, value);
            Ok(())
        }
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            tracing::info!("{key} means nothing to librdkafka; it is not told");
            Ok(())
        }
        Err(_) => Err(DataError::Setting {
            key: key.to_owned(),
            reason: "producers and consumers do not take this value".to_owned(),
        }),
    }
}
