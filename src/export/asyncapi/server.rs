//! Bootstrap brokers as servers.

use serde_json::{Map, Value, json};

use super::object;
use crate::connection::{ConnectionConfig, Login};

/// The servers, and the security schemes that they refer to.
pub(super) fn all(connection: &ConnectionConfig) -> (Map<String, Value>, Map<String, Value>) {
    let mut schemes = Map::new();
    if let Some(login) = &connection.login {
        schemes.insert("login".to_owned(), scheme(login));
    }
    if connection.tls.identity.is_some() && connection.protocol.uses_tls() {
        schemes.insert("certificate".to_owned(), json!({ "type": "X509" }));
    }
    let security: Vec<Value> = (schemes.keys())
        .map(|name| json!({ "$ref": format!("#/components/securitySchemes/{name}") }))
        .collect();
    let servers = connection.bootstrap.iter().enumerate().map(|(at, address)| {
        let protocol = if connection.protocol.uses_tls() { "kafka-secure" } else { "kafka" };
        let server = object([
            ("host", Some(json!(address.to_string()))),
            ("protocol", Some(json!(protocol))),
            ("security", (!security.is_empty()).then(|| json!(security))),
        ]);
        (format!("bootstrap-{}", at + 1), server)
    });
    (servers.collect(), schemes)
}

fn scheme(login: &Login) -> Value {
    match login {
        Login::Plain { .. } => json!({ "type": "plain" }),
        Login::ScramSha256 { .. } => json!({ "type": "scramSha256" }),
        Login::ScramSha512 { .. } => json!({ "type": "scramSha512" }),
        Login::OauthBearer(_) => json!({ "type": "http", "scheme": "bearer" }),
    }
}
