//! The schemas of the events, as they lie in `schemas/`; part of the binary.

use crate::event::rules;
use crate::schema::{ByType, Compiler, Judge, SchemaError};

macro_rules! files {
    ($( $name:literal ),* $(,)?) => {
        &[$( ($name, include_bytes!(concat!("../../schemas/", $name, ".v1.json")) ) ),*]
    };
}

/// Type of event and the newest version of its schema.
pub(crate) const SCHEMAS: &[(&str, &[u8])] = files![
    "CancelReservation",
    "InventoryFailed",
    "InventoryReserved",
    "OrderPlaced",
    "ReservationCancelled",
    "ReservationRestored",
    "RestoreReservation",
    "SendNotification",
];

/// Judges each event by its type, its schema and its rules.
pub fn judge() -> Result<Judge, SchemaError> {
    let rules = rules();
    let mut schemas = ByType::new();
    for (event, text) in SCHEMAS {
        schemas = schemas.with(*event, Compiler::new().rules(rules.of(event)).compile(text)?);
    }
    Ok(Judge::by_type(schemas))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventType;

    #[test]
    fn every_schema_of_the_repository_is_in_the_binary() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let known: Vec<String> = SCHEMAS.iter().map(|(event, _)| format!("{event}.v1.json")).collect();
        assert_eq!(files, known);
        assert_eq!(SCHEMAS.len(), EventType::ALL.len());
        judge().unwrap();
    }
}
