//! Asking the logs what a shorter retention would delete.

use super::port::{ClusterError, Log, OffsetSpec};
use crate::plan::{Evidence, Expiring, Question};
use crate::topology::TopicName;

/// Answers the plan's questions. `now` is in milliseconds since the epoch.
pub(crate) async fn gather(
    cluster: &impl Log,
    questions: &[Question],
    now: i64,
) -> Result<Evidence, ClusterError> {
    let mut asked: Vec<(TopicName, i32, OffsetSpec)> = Vec::new();
    for question in questions {
        let kept_from = OffsetSpec::At(now.saturating_sub(question.retention_ms));
        for partition in 0..question.partitions {
            for spec in [OffsetSpec::Earliest, OffsetSpec::Latest, kept_from] {
                asked.push((question.topic.clone(), partition, spec));
            }
        }
    }
    let mut evidence = Evidence::default();
    if asked.is_empty() {
        return Ok(evidence);
    }
    let answers = cluster.offsets(&asked).await?;
    let mut answers = answers.chunks_exact(3);
    for question in questions {
        let mut expiring = Expiring { records: 0, silent: 0 };
        for answer in answers.by_ref().take(usize::try_from(question.partitions).unwrap_or(0)) {
            match (answer[0], answer[1]) {
                // No record is young enough: all of them are too old.
                (Some(earliest), Some(latest)) => {
                    let kept = answer[2].unwrap_or(latest).clamp(earliest, latest.max(earliest));
                    expiring.records += u64::try_from(kept - earliest).unwrap_or(0);
                }
                _ => expiring.silent += 1,
            }
        }
        evidence.expiring.insert(question.topic.clone(), expiring);
    }
    Ok(evidence)
}
