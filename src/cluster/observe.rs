//! Reading a cluster into a [`ClusterState`].

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::port::{ClusterError, Listing, Refusal, RefusalKind, Reported, Scope, Topics};
use crate::topology::TopicName;
use crate::topology::observed::{ClusterState, ObservedTopic, SNAPSHOT_VERSION, Setting, Source};

/// A cluster's state, and what of it could not be read.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) state: ClusterState,
    /// Topics that a broker refused to show, sorted by name.
    pub(crate) refused: Vec<Unreadable>,
}

impl Observation {
    /// Did one broker list a topic that another did not know? Then one of them is behind.
    pub(crate) fn brokers_disagree(&self) -> bool {
        self.refused.iter().any(|one| one.refusal.kind == RefusalKind::Unknown)
    }
}

/// A topic of which something could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) topic: TopicName,
    /// The right that is needed.
    pub(crate) needs: &'static str,
    pub(crate) refusal: Refusal,
}

/// How much of a cluster is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach<'a> {
    /// Every topic with its settings.
    Everything,
    /// The names of all topics, the settings of these.
    Managed(&'a [TopicName]),
    /// These topics, and nothing of any other.
    Only(&'a [TopicName]),
}

/// Reads a cluster. A listing leaves out what the login may not describe, and a broker that is
/// behind does not know the newest topics; so wanted topics that are absent from it are asked for by
/// name before they count as absent.
pub(crate) async fn observe(cluster: &impl Topics, reach: Reach<'_>) -> Result<Observation, ClusterError> {
    let scope = match reach {
        Reach::Everything | Reach::Managed(_) => Scope::Whole,
        Reach::Only(names) => Scope::Only(names),
    };
    let listing = cluster.list(scope).await?;
    observe_listed(cluster, reach, listing).await
}

/// The same for a caller that has listed the topics already.
pub(crate) async fn observe_listed(
    cluster: &impl Topics,
    reach: Reach<'_>,
    mut listing: Listing,
) -> Result<Observation, ClusterError> {
    if let Reach::Managed(names) = reach {
        let known: HashSet<&TopicName> = listing.topics.iter().map(|topic| &topic.name).collect();
        let missing: Vec<TopicName> = names.iter().filter(|name| !known.contains(name)).cloned().collect();
        if !missing.is_empty() {
            let asked = cluster.list(Scope::Only(&missing)).await?;
            listing.topics.extend(asked.topics);
            listing.refused.extend(asked.refused);
        }
    }
    let managed: Option<HashSet<&TopicName>> = match reach {
        Reach::Everything | Reach::Only(_) => None,
        Reach::Managed(names) => Some(names.iter().collect()),
    };
    let of_interest = |name: &TopicName| managed.as_ref().is_none_or(|managed| managed.contains(name));
    let names: Vec<TopicName> = listing
        .topics
        .iter()
        .filter(|topic| of_interest(&topic.name))
        .map(|topic| topic.name.clone())
        .collect();
    let mut builder = StateBuilder::new(listing);
    cluster.settings(&names, &mut |topic, reported| builder.settings(topic, reported)).await?;
    Ok(builder.finish())
}

/// Puts answers together as they arrive.
pub(crate) struct StateBuilder {
    state: ClusterState,
    refused: Vec<Unreadable>,
}

impl StateBuilder {
    pub(crate) fn new(listing: Listing) -> Self {
        let refused = listing
            .refused
            .into_iter()
            .map(|(topic, refusal)| Unreadable { topic, needs: "DESCRIBE", refusal })
            .collect();
        let topics = listing.topics.into_iter().map(|topic| {
            let observed = ObservedTopic {
                id: topic.id,
                internal: topic.internal,
                partitions: topic.partitions,
                overrides: BTreeMap::new(),
                inherited: BTreeMap::new(),
            };
            (topic.name, observed)
        });
        let state = ClusterState {
            version: SNAPSHOT_VERSION,
            cluster_id: listing.cluster_id,
            brokers: listing.brokers,
            elr_version: listing.elr_version,
            defaults: BTreeMap::new(),
            topics: topics.collect(),
        };
        Self { state, refused }
    }

    pub(crate) fn settings(&mut self, name: &TopicName, reported: Result<&[Reported<'_>], Refusal>) {
        let reported = match reported {
            Ok(reported) => reported,
            Err(refusal) => {
                self.refused.push(Unreadable { topic: name.clone(), needs: "DESCRIBE_CONFIGS", refusal });
                return;
            }
        };
        let Some(topic) = self.state.topics.get_mut(name) else { return };
        for setting in reported {
            if setting.source == Source::Topic {
                topic.overrides.insert(setting.key.to_owned(), setting.value.map(str::to_owned));
                continue;
            }
            // Most topics inherit the same; what they share is kept once.
            match self.state.defaults.get(setting.key) {
                None => {
                    self.state.defaults.insert(setting.key.to_owned(), setting.to_setting());
                }
                Some(default)
                    if default.source == setting.source && default.value.as_deref() == setting.value => {}
                Some(_) => {
                    topic.inherited.insert(setting.key.to_owned(), setting.to_setting());
                }
            }
        }
    }

    pub(crate) fn finish(mut self) -> Observation {
        settle_defaults(&mut self.state);
        self.refused.sort_by(|a, b| a.topic.cmp(&b.topic));
        Observation { state: self.state, refused: self.refused }
    }
}

/// Makes the defaults independent of the order in which answers came: what most topics inherit is
/// the default, the smallest value where several are equally common.
fn settle_defaults(state: &mut ClusterState) {
    let deviating: BTreeSet<String> =
        state.topics.values().flat_map(|topic| topic.inherited.keys().cloned()).collect();
    for key in deviating {
        let Some(current) = state.defaults.get(&key).cloned() else { continue };
        let inherits = |topic: &&mut ObservedTopic| !topic.internal && !topic.overrides.contains_key(&key);
        let mut counts: BTreeMap<(Option<String>, Source), usize> = BTreeMap::new();
        for topic in state.topics.values_mut().filter(inherits) {
            let setting = topic.inherited.get(&key).unwrap_or(&current);
            *counts.entry((setting.value.clone(), setting.source)).or_default() += 1;
        }
        let Some(most) = counts.values().max().copied() else { continue };
        let Some(((value, source), _)) = counts.into_iter().find(|(_, count)| *count == most) else {
            continue;
        };
        let chosen = Setting { value, source };
        for topic in state.topics.values_mut().filter(inherits) {
            let own = topic.inherited.remove(&key).unwrap_or_else(|| current.clone());
            if own != chosen {
                topic.inherited.insert(key.clone(), own);
            }
        }
        state.defaults.insert(key, chosen);
    }
}
