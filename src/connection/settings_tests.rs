use std::path::PathBuf;

use super::*;
use crate::connection::parse_properties;

fn build(text: &str) -> Result<ConnectionConfig, Vec<ConnectionProblem>> {
    let given: Vec<Given> = parse_properties(text)
        .into_iter()
        .map(|property| Given {
            key: property.key,
            value: property.value,
            origin: format!("client.properties:{}", property.line),
        })
        .collect();
    ConnectionConfig::build(&given)
}

fn good(text: &str) -> ConnectionConfig {
    build(&format!("bootstrap.servers=a:1\n{text}")).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let problems = build(&format!("bootstrap.servers=a:1\n{text}")).unwrap_err();
    problems.into_iter().map(|problem| format!("{}: {}", problem.origin, problem.message)).collect()
}

#[test]
fn brokers_alone_are_enough() {
    let config = good("");
    assert_eq!(config.bootstrap, [Address { host: "a".into(), port: 1 }]);
    assert_eq!(
        (config.protocol, config.login, config.client_id.as_str()),
        (Protocol::Plaintext, None, "kafkaflow")
    );
}

#[test]
fn the_last_value_of_a_property_counts() {
    assert_eq!(good("client.id=x\nclient.id=y").client_id, "y");
    assert_eq!(good("bootstrap.servers=b:2").bootstrap[0].host, "b");
}

#[test]
fn both_dialects_name_the_same_login() {
    let java = "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=\
                org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u\" password=\"p\";";
    let librdkafka =
        "security.protocol=sasl_ssl\nsasl.mechanisms=SCRAM-SHA-512\nsasl.username=u\nsasl.password=p";
    let expected = Login::ScramSha512 { username: "u".into(), password: Secret::new("p") };
    assert_eq!(good(java).login, Some(expected.clone()));
    assert_eq!(good(librdkafka).login, Some(expected));
}

#[test]
fn both_dialects_name_the_same_certificates() {
    let file = |name: &str| Pem::File(PathBuf::from(name));
    let librdkafka =
        good("security.protocol=SSL\nssl.ca.location=ca\nssl.certificate.location=c\nssl.key.location=k").tls;
    assert_eq!((librdkafka.trust, librdkafka.identity), (Some(file("ca")), Some((file("c"), file("k")))));
    let java = "security.protocol=SSL\nssl.truststore.type=PEM\nssl.truststore.location=ca\n\
                ssl.keystore.type=PEM\nssl.keystore.location=both";
    let java = good(java).tls;
    assert_eq!((java.trust, java.identity), (Some(file("ca")), Some((file("both"), file("both")))));
}

#[test]
fn host_verification_and_versions_are_narrowed_only_on_request() {
    let tls = good("security.protocol=SSL").tls;
    assert!(tls.verify_host && tls.tls12 && tls.tls13);
    let tls =
        good("security.protocol=SSL\nssl.endpoint.identification.algorithm=\nssl.enabled.protocols=TLSv1.3")
            .tls;
    assert!(!tls.verify_host && !tls.tls12 && tls.tls13);
}

#[test]
fn a_token_comes_from_where_it_is_said() {
    let bearer =
        |text: &str| good(&format!("security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\n{text}")).login;
    let file = Some(Login::OauthBearer(TokenSource::File("/t".into())));
    assert_eq!(bearer("sasl.oauthbearer.token.endpoint.url=file:///t"), file);
    assert_eq!(bearer("kafkaflow.oauthbearer.token.file=/t"), file);
    let command = Some(Login::OauthBearer(TokenSource::Command(Secret::new("get-token"))));
    assert_eq!(bearer("kafkaflow.oauthbearer.token.command=get-token"), command);
}

#[test]
fn what_only_the_data_plane_knows_is_kept_for_it() {
    let config = good("acks=all\nlinger.ms=5\nacks=1");
    assert_eq!(config.rest, [("linger.ms".into(), Secret::new("5")), ("acks".into(), Secret::new("1"))]);
}

#[test]
fn every_problem_is_named_with_its_place() {
    for (text, expected) in [
        ("security.protocol=TLS", &["client.properties:2: security.protocol: `TLS` is not known"][..]),
        ("security.protocol=SASL_SSL", &["client.properties:2: sasl.mechanism is missing"]),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.username=u",
            &["client.properties:3: sasl.password is missing"],
        ),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.ScramLoginModule required;",
            &[
                "client.properties:4: sasl.jaas.config names ScramLoginModule, but the mechanism needs PlainLoginModule",
            ],
        ),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER",
            &["client.properties:3: OAUTHBEARER needs a token, and nothing says where it comes from"],
        ),
        (
            "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://x",
            &["client.properties:4: sasl.oauthbearer.token.endpoint.url: only file:// URLs are supported"],
        ),
        (
            "security.protocol=SSL\nssl.key.location=k\nssl.key.password=p\nssl.protocol=SSLv3",
            &[
                "client.properties:4: ssl.key.password: encrypted private keys cannot be read",
                "client.properties:3: the client key has no certificate",
                "client.properties:5: ssl.protocol: none of `SSLv3` is supported",
            ],
        ),
        (
            "security.protocol=SSL\nssl.truststore.location=t.p12\nssl.truststore.type=PKCS12",
            &[
                "client.properties:3: ssl.truststore.location: a store of type PKCS12 cannot be read, only PEM",
            ],
        ),
        (
            "request.timeout.ms=soon\nkafkaflow.x=1",
            &[
                "client.properties:3: kafkaflow.x is a security property that kafkaflow cannot honour",
                "client.properties:2: request.timeout.ms: `soon` is not a number of milliseconds (1 to 3600000)",
            ],
        ),
    ] {
        assert_eq!(problems(text), expected, "{text}");
    }
    let problems = build("bootstrap.servers=a:b,c:d").unwrap_err();
    assert_eq!(problems.len(), 2);
    assert_eq!(build("").unwrap_err()[0].message, "no brokers are named");
}
