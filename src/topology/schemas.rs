//! Which schema files exist; the reading of folders is done above.

use std::collections::{BTreeMap, BTreeSet};

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
            let parts = name.strip_suffix(".json").and_then(|stem| stem.rsplit_once(".v"));
            if let Some((event, version)) = parts
                && let Ok(version) = version.parse()
            {
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
