//! Error codes by Kafka's own names.

use kafka_protocol::error::ResponseError;

/// `NOT_LEADER_OR_FOLLOWER`; of a code that is not known, its number.
pub(crate) fn name_of(code: i16) -> String {
    match ResponseError::try_from_code(code) {
        Some(ResponseError::Unknown(_)) | None => format!("error {code}"),
        Some(error) => screaming(&format!("{error:?}")),
    }
}

fn screaming(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    for (at, character) in name.chars().enumerate() {
        if at > 0 && character.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(character.to_ascii_uppercase());
    }
    out
}
