//! Where things stand in the header of a batch of records, version 2 of the format:
//! <https://kafka.apache.org/documentation/#recordbatch>.

/// The version.
pub(super) const MAGIC: i8 = 2;
/// Where the length counts from.
pub(super) const AFTER_LENGTH: usize = 12;
pub(super) const AT_MAGIC: usize = 16;
pub(super) const CHECKSUM: usize = 17;
/// Where what the checksum covers begins.
pub(super) const COVERED: usize = 21;
/// Where the records begin.
pub(super) const HEADER: usize = 61;
