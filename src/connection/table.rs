//! Which properties the admin plane honours, which it leaves to the data plane, and which it must
//! refuse because ignoring them would weaken or break security.

use super::config::Protocol;

/// What becomes of a property.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    Honoured,
    /// Of no use to the admin plane; kept for the data plane.
    Kept,
    /// With the way out.
    Refused(&'static str),
}

/// The properties that the admin plane honours, with librdkafka's and Java's names side by side.
pub(crate) const HONOURED: &[(&str, &str)] = &[
    ("bootstrap.servers, metadata.broker.list", "brokers to ask first, HOST:PORT separated by commas"),
    ("security.protocol", "PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
    ("sasl.mechanism, sasl.mechanisms", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"),
    ("sasl.username, sasl.password", "credentials of PLAIN and SCRAM"),
    (
        "sasl.jaas.config",
        "the same, as Java has it: PlainLoginModule, ScramLoginModule, OAuthBearerLoginModule",
    ),
    ("kafkaflow.oauthbearer.token.file", "file that holds the bearer token; read for every login"),
    ("kafkaflow.oauthbearer.token.command", "shell command that prints the bearer token"),
    ("sasl.oauthbearer.token.endpoint.url", "file:///… as in Java"),
    (
        "ssl.ca.location, ssl.truststore.location",
        "PEM file of the certificates to trust; default: the system's",
    ),
    ("ssl.ca.pem, ssl.truststore.certificates", "the same as PEM text"),
    (
        "ssl.truststore.type, ssl.keystore.type",
        "PEM; JKS and PKCS12 are refused with the command that converts them",
    ),
    (
        "ssl.certificate.location, ssl.keystore.location",
        "PEM file of the client's certificate (Java: with its key)",
    ),
    ("ssl.certificate.pem, ssl.keystore.certificate.chain", "the same as PEM text"),
    ("ssl.key.location", "PEM file of the client's private key"),
    ("ssl.key.pem, ssl.keystore.key", "the same as PEM text"),
    ("ssl.endpoint.identification.algorithm", "https (default), or empty/none: any host name"),
    ("ssl.enabled.protocols, ssl.protocol", "TLSv1.2, TLSv1.3"),
    ("client.id", "name that the brokers log; default kafkaflow"),
    ("request.timeout.ms, socket.timeout.ms", "how long one request may take; default 30000"),
    ("socket.connection.setup.timeout.ms", "how long connecting and logging in may take; default 8000"),
];

/// The properties that only whoever produces or consumes heeds.
pub(crate) const OF_RECORDS: &[(&str, &str)] = &[
    ("compression.type, compression.codec", "none (default), gzip, snappy, lz4, zstd"),
    ("batch.size", "bytes of records in a batch; default 1000000"),
    (
        "max.request.size, message.max.bytes",
        "bytes of the largest record that is sent at all; default 67108864",
    ),
    (
        "linger.ms, queue.buffering.max.ms",
        "how long fewer than 16 KiB wait for other records; default 0, 2 where services share a producer",
    ),
    (
        "acks, enable.idempotence",
        "not heeded: records go when their broker has no request of ours, idempotent, to all replicas",
    ),
    ("fetch.wait.max.ms, fetch.max.wait.ms", "how long a broker waits for news; default 500"),
    ("fetch.min.bytes", "how many bytes are news; default 1"),
    ("fetch.max.bytes", "bytes of an answer; default 16777216"),
    (
        "max.partition.fetch.bytes, fetch.message.max.bytes",
        "bytes of one partition's part of an answer; default 1048576",
    ),
    ("queued.max.messages.kbytes", "KiB of a partition that are read in advance; default 1024"),
    ("isolation.level", "read_committed (default), read_uncommitted"),
    ("check.crcs", "whether checksums are verified: true (default), false"),
    ("client.rack", "where the client is; a replica there is read where the brokers name one"),
];

/// Passwords of stores that PEM does not have; harmless when empty.
const STORE_PASSWORDS: &[&str] = &["ssl.truststore.password", "ssl.keystore.password"];

/// Security properties that change nothing here: they tune the JVM, librdkafka's own token
/// refresh, or a default that we share.
const HARMLESS: &[&str] = &[
    "ssl.keymanager.algorithm",
    "ssl.trustmanager.algorithm",
    "sasl.login.refresh.window.factor",
    "sasl.login.refresh.window.jitter",
    "sasl.login.refresh.min.period.seconds",
    "sasl.login.refresh.buffer.seconds",
    "sasl.login.connect.timeout.ms",
    "sasl.login.read.timeout.ms",
    "sasl.login.retry.backoff.ms",
    "sasl.login.retry.backoff.max.ms",
];

pub(crate) fn treatment(key: &str, value: &str, protocol: Protocol) -> Treatment {
    let value = value.trim();
    if key == "ssl.key.password"
        || HONOURED.iter().any(|(names, _)| names.split(", ").any(|name| name == key))
    {
        return Treatment::Honoured;
    }
    if key.starts_with("kafkaflow.") {
        return Treatment::Refused(
            "kafkaflow knows kafkaflow.oauthbearer.token.file and kafkaflow.oauthbearer.token.command",
        );
    }
    let about_tls = key.starts_with("ssl.") || key == "enable.ssl.certificate.verification";
    let about_sasl = key.starts_with("sasl.");
    if !about_tls && !about_sasl && key != "security.providers" {
        return Treatment::Kept;
    }
    // A section that the protocol does not use is dead text in many files.
    if (about_tls && !protocol.uses_tls()) || (about_sasl && !protocol.uses_sasl()) || value.is_empty() {
        return Treatment::Kept;
    }
    if STORE_PASSWORDS.contains(&key) {
        return Treatment::Kept;
    }
    if HARMLESS.contains(&key) {
        return Treatment::Kept;
    }
    match key {
        "enable.ssl.certificate.verification" if value.eq_ignore_ascii_case("true") => Treatment::Kept,
        "enable.ssl.certificate.verification" => {
            Treatment::Refused("name the certificate to trust instead: ssl.ca.location=FILE.pem")
        }
        "sasl.login.callback.handler.class"
            if value.ends_with(".OAuthBearerLoginCallbackHandler")
                || value.ends_with(".OAuthBearerUnsecuredLoginCallbackHandler") =>
        {
            Treatment::Kept
        }
        "ssl.cipher.suites" | "ssl.curves.list" | "ssl.sigalgs.list" => Treatment::Refused(
            "remove it: rustls chooses among its own modern suites, which cannot be narrowed here",
        ),
        _ if key.starts_with("sasl.kerberos.") => Treatment::Refused(
            "Kerberos (GSSAPI) is not supported; use SCRAM, PLAIN, OAUTHBEARER or a client certificate",
        ),
        _ => Treatment::Refused("remove it, or keep it in another file for the clients that know it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_security_property_is_honoured_refused_or_known_to_be_harmless() {
        use Treatment::{Honoured, Kept, Refused};
        let judged = |key, value| match treatment(key, value, Protocol::SaslSsl) {
            Honoured => "honoured",
            Kept => "kept",
            Refused(_) => "refused",
        };
        for (key, value, expected) in [
            ("sasl.mechanisms", "PLAIN", "honoured"),
            ("ssl.key.location", "x", "honoured"),
            ("acks", "all", "kept"),
            ("ssl.truststore.password", "x", "kept"),
            ("enable.ssl.certificate.verification", "true", "kept"),
            ("enable.ssl.certificate.verification", "false", "refused"),
            ("ssl.cipher.suites", "X", "refused"),
            ("ssl.engine.factory.class", "X", "refused"),
            ("ssl.crl.location", "X", "refused"),
            ("sasl.kerberos.service.name", "kafka", "refused"),
            ("sasl.client.callback.handler.class", "X", "refused"),
            ("kafkaflow.oauth.file", "x", "refused"),
        ] {
            assert_eq!(judged(key, value), expected, "{key}");
        }
    }

    #[test]
    fn a_section_that_the_protocol_does_not_use_is_left_alone() {
        assert_eq!(treatment("ssl.cipher.suites", "X", Protocol::Plaintext), Treatment::Kept);
        assert_eq!(treatment("sasl.kerberos.service.name", "k", Protocol::Ssl), Treatment::Kept);
    }
}
