//! What one request may hold.

/// `QuorumController.MAX_RECORDS_PER_USER_OP` (and `MAX_PARTITIONS_PER_BATCH`): a `KRaft` controller
/// refuses a request that would write more metadata records than this, as a whole.
pub(crate) const MAX_RECORDS: usize = 10_000;

/// Metadata records that creating a topic writes: itself, its partitions, its settings.
pub(crate) fn records(partitions: i32, configs: usize) -> usize {
    1 + usize::try_from(partitions).unwrap_or(0) + configs
}
