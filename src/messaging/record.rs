//! A record of a topic.

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    /// In the record's order; a name may be there more than once.
    pub(crate) headers: Vec<Header>,
    /// `None`: a tombstone.
    pub(crate) value: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: Option<Vec<u8>>,
}

impl Record {
    /// The header of that name; of several the last, as Java's `lastHeader` has it.
    pub(crate) fn header(&self, name: &str) -> Option<&Header> {
        self.headers.iter().rev().find(|header| header.name == name)
    }
}
