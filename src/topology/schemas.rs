//! Which schema files exist; the reading of folders is done above.

use std::collections::{BTreeMap, BTreeSet};

/// What the schema file `<Event>.v<N>.json` is of; `None` for any other name.
pub(crate) fn event_and_version(file: &str) -> Option<(&str, u32)> {
    let (event, version) = file.strip_suffix(".json")?.rsplit_once(".v")?;
    Some((event, version.parse().ok()?))
}

/// The files of the folder that `schemas:` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SchemaFiles {
    /// Not looked at: no rule about schemas applies.
    Unchecked,
    /// The folder cannot be read, and why.
    Unreadable(String),
    /// Versions by event.
    Known(BTreeMap<String, BTreeSet<u32>>),
}

impl SchemaFiles {
    /// Takes the names of a folder's files; those that are not called `<Event>.v<N>.json` are no
    /// schemas of events.
    pub(crate) fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut versions: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for name in names {
            if let Some((event, version)) = event_and_version(name) {
                versions.entry(event.to_owned()).or_default().insert(version);
            }
        }
        Self::Known(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_are_called_like_an_event_and_its_version_count() {
        let files = SchemaFiles::from_names([
            "OrderPlaced.v1.json",
            "OrderPlaced.v2.json",
            "README.md",
            "Money.json",
            "X.vy.json",
        ]);
        let expected = BTreeMap::from([("OrderPlaced".to_owned(), BTreeSet::from([1, 2]))]);
        assert_eq!(files, SchemaFiles::Known(expected));
    }
}
