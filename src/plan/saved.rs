//! A plan in a file: for review now and execution later, bound to the cluster and to what was
//! observed of it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::change::{Plan, Unmanaged};
use super::document::ChangeRecord;
use super::fingerprint::{Touched, touched};
use crate::topology::TopicName;
use crate::topology::observed::ClusterState;

const VERSION: u32 = 1;

/// A plan and the facts that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SavedPlan {
    pub(crate) plan: Plan,
    pub(crate) touched: BTreeMap<TopicName, Touched>,
}

/// The file: the plan's own text, and sums over exactly that text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    kafkaflow_plan: u32,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hmac_sha256: Option<String>,
    plan: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    cluster: String,
    unchanged_topics: usize,
    changes: Vec<ChangeRecord>,
    touched: BTreeMap<TopicName, Touched>,
}

/// Why a saved plan is not executed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SavedPlanError {
    #[error("it is not a saved plan ({0})")]
    NotAPlan(String),
    #[error("it was written by another version of kafkaflow (format {0}, this one reads {VERSION})")]
    Version(u32),
    #[error("it is damaged: its checksum does not match")]
    Damaged,
    #[error("KAFKAFLOW_PLAN_KEY is set, but the plan is not signed")]
    NotSigned,
    #[error("the plan is signed, and KAFKAFLOW_PLAN_KEY is not set")]
    KeyMissing,
    #[error("the signature does not match: the plan was altered, or signed with another key")]
    Forged,
}

impl SavedPlan {
    pub(crate) fn new(plan: Plan, observed: &ClusterState) -> Self {
        let touched = touched(&plan, observed);
        Self { plan, touched }
    }

    /// The file's text; signed when there is a key.
    pub(crate) fn write(&self, key: Option<&[u8]>) -> Result<String, serde_json::Error> {
        let body = Body {
            cluster: self.plan.cluster_id.clone(),
            unchanged_topics: self.plan.unchanged,
            changes: self.plan.changes.iter().map(ChangeRecord::of).collect(),
            touched: self.touched.clone(),
        };
        let text = serde_json::to_string_pretty(&body)?;
        let envelope = Envelope {
            kafkaflow_plan: VERSION,
            sha256: STANDARD.encode(digest::digest(&digest::SHA256, text.as_bytes())),
            hmac_sha256: key.map(|key| STANDARD.encode(hmac::sign(&signing(key), text.as_bytes()))),
            plan: RawValue::from_string(text)?,
        };
        serde_json::to_string_pretty(&envelope).map(|text| text + "\n")
    }

    /// Reads a file's text back, refusing whatever is not exactly what was written.
    pub(crate) fn read(text: &str, key: Option<&[u8]>) -> Result<Self, SavedPlanError> {
        let not_a_plan = |error: serde_json::Error| SavedPlanError::NotAPlan(error.to_string());
        let envelope: Envelope = serde_json::from_str(text).map_err(not_a_plan)?;
        if envelope.kafkaflow_plan != VERSION {
            return Err(SavedPlanError::Version(envelope.kafkaflow_plan));
        }
        let body = envelope.plan.get();
        if STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes())) != envelope.sha256 {
            return Err(SavedPlanError::Damaged);
        }
        match (key, envelope.hmac_sha256) {
            (None, None) => {}
            (None, Some(_)) => return Err(SavedPlanError::KeyMissing),
            (Some(_), None) => return Err(SavedPlanError::NotSigned),
            (Some(key), Some(signature)) => {
                let signature = STANDARD.decode(signature).map_err(|_| SavedPlanError::Forged)?;
                hmac::verify(&signing(key), body.as_bytes(), &signature)
                    .map_err(|_| SavedPlanError::Forged)?;
            }
        }
        let body: Body = serde_json::from_str(body).map_err(not_a_plan)?;
        let changes: Option<Vec<_>> = body.changes.iter().map(ChangeRecord::to_change).collect();
        let changes = changes.ok_or_else(|| SavedPlanError::NotAPlan("a change lacks a field".into()))?;
        let plan = Plan {
            cluster_id: body.cluster,
            changes,
            unmanaged: Unmanaged::default(),
            unchanged: body.unchanged_topics,
        };
        Ok(Self { plan, touched: body.touched })
    }
}

fn signing(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
