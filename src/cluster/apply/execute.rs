//! Executing a plan, and saying of each change what became of it.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::batch::{Batch, Item, batches};
use super::settle::{Answer, Patience, settle};
use super::shown::Asked;
use crate::cluster::observe::{Reach, observe};
use crate::cluster::port::{
    AlterTopic, Answers, ClusterError, Mode, MorePartitions, NewTopic, Refusal, RefusalKind, Topics,
};
use crate::plan::Plan;
use crate::topology::TopicName;
use crate::topology::observed::ClusterState;

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// With the broker's words.
    Failed(String),
    /// Not sent, and why.
    Skipped(String),
}

/// Requests under way at the same time, each on a connection of its own: the controller works on
/// one while the next one travels.
const IN_HAND: usize = 2;

/// Carries out the changes of `plan` and reports those of a request as they are settled, together:
/// ten thousand reports of one change each cost as much as the requests. The result has an outcome for
/// every change, in the plan's order.
pub(crate) async fn execute(
    cluster: &impl Topics,
    plan: &Plan,
    patience: &Patience,
    on_settled: &mut dyn FnMut(Vec<(usize, Outcome)>),
) -> Vec<Outcome> {
    let mut create = Vec::new();
    let mut partitions = Vec::new();
    let mut alter = Vec::new();
    for batch in batches(&plan.changes) {
        match batch {
            Batch::Create(items) => create.push(items),
            Batch::AddPartitions(items) => partitions.push(items),
            Batch::Alter(items) => alter.push(items),
        }
    }
    let outcomes = plan.changes.iter().map(|change| match &change.blocked {
        Some(blocked) => Outcome::Skipped(blocked.reason.clone()),
        None => Outcome::Skipped(STOPPED.to_owned()),
    });
    let report = Report { outcomes: outcomes.collect(), on_settled };
    let report = RefCell::new(report);
    let send = async |topics: &[NewTopic]| cluster.create(topics, Mode::Execute).await;
    run(cluster, create, patience, send, &report).await;
    let send = async |topics: &[MorePartitions]| cluster.add_partitions(topics, Mode::Execute).await;
    run(cluster, partitions, patience, send, &report).await;
    let send = async |topics: &[AlterTopic]| cluster.alter(topics, Mode::Execute).await;
    run(cluster, alter, patience, send, &report).await;
    report.into_inner().outcomes
}

const STOPPED: &str = "stopped before it was sent";

struct Report<'a> {
    outcomes: Vec<Outcome>,
    on_settled: &'a mut dyn FnMut(Vec<(usize, Outcome)>),
}

impl Report<'_> {
    fn settle(&mut self, settled: Vec<(usize, Outcome)>) {
        for (change, outcome) in &settled {
            self.outcomes[*change] = outcome.clone();
        }
        (self.on_settled)(settled);
    }
}

fn each<T>(item: &Item<T>, outcome: Outcome) -> impl Iterator<Item = (usize, Outcome)> {
    item.changes.iter().map(move |change| (*change, outcome.clone()))
}

async fn run<T: Asked>(
    cluster: &impl Topics,
    batches: Vec<Vec<Item<T>>>,
    patience: &Patience,
    send: impl AsyncFn(&[T]) -> Result<Answers, ClusterError>,
    report: &RefCell<Report<'_>>,
) {
    let send = &send;
    let work = batches.into_iter().map(|items| async move {
        let asked: Vec<T> = items.iter().map(|item| item.asked.clone()).collect();
        let answers = settle(&asked, patience, send).await;
        let mut settled = Vec::new();
        let mut doubtful: Vec<(Item<T>, Answer)> = Vec::new();
        for (item, answer) in items.into_iter().zip(answers) {
            match answer {
                Answer::Done => settled.extend(each(&item, Outcome::Done)),
                Answer::Refused(refusal) if !may_be_our_own_work(&refusal) => {
                    settled.extend(each(&item, Outcome::Failed(refusal.to_string())));
                }
                Answer::NotSent => settled.extend(each(&item, Outcome::Skipped(STOPPED.to_owned()))),
                Answer::Refused(_) | Answer::RefusedAfterLoss(_) | Answer::Lost(_) => {
                    doubtful.push((item, answer));
                }
            }
        }
        report.borrow_mut().settle(settled);
        if !doubtful.is_empty() {
            look_up(cluster, doubtful, patience, report).await;
        }
    });
    stream::iter(work).buffer_unordered(IN_HAND).collect::<Vec<()>>().await;
}

/// A broker forwards what it is asked to the controller, and forwards it again when that one dies: the second
/// answer may be about what the first attempt had done.
fn may_be_our_own_work(refusal: &Refusal) -> bool {
    refusal.kind == RefusalKind::AlreadyExists || refusal.error == "INVALID_PARTITIONS"
}

/// How long a broker may not know a topic of which the controller says that it exists.
const LAG: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

/// An attempt of ours got no answer, or one that may be about our own work: what the cluster shows decides, not a
/// guess.
async fn look_up<T: Asked>(
    cluster: &impl Topics,
    doubtful: Vec<(Item<T>, Answer)>,
    patience: &Patience,
    report: &RefCell<Report<'_>>,
) {
    let names: Vec<TopicName> = doubtful.iter().map(|(item, _)| item.asked.topic().clone()).collect();
    let until = patience.deadline.min(Instant::now() + LAG);
    let observed = loop {
        let observed = observe(cluster, Reach::Only(&names)).await;
        let behind = observed.as_ref().is_ok_and(|observation| {
            doubtful.iter().any(|(item, answer)| {
                exists(answer) && !observation.state.topics.contains_key(item.asked.topic())
            })
        });
        if !behind || Instant::now() + PAUSE >= until {
            break observed;
        }
        tokio::time::sleep(PAUSE).await;
    };
    let settled = doubtful.into_iter().flat_map(|(item, answer)| {
        let outcome = match &observed {
            Ok(observation) => decide(&item.asked, &answer, &observation.state),
            Err(error) => Outcome::Failed(format!(
                "{}; whether it was done is unknown, and the cluster could not be asked ({error})",
                words(&answer)
            )),
        };
        each(&item, outcome).collect::<Vec<_>>()
    });
    report.borrow_mut().settle(settled.collect());
}

/// The controller says that the topic exists.
fn exists(answer: &Answer) -> bool {
    match answer {
        Answer::Refused(refusal) | Answer::RefusedAfterLoss(refusal) => {
            refusal.kind == RefusalKind::AlreadyExists
        }
        Answer::Done | Answer::Lost(_) | Answer::NotSent => false,
    }
}

fn decide<T: Asked>(asked: &T, answer: &Answer, state: &ClusterState) -> Outcome {
    match asked.difference(state.topics.get(asked.topic())) {
        None => Outcome::Done,
        Some(difference) => Outcome::Failed(match answer {
            Answer::Refused(_) | Answer::RefusedAfterLoss(_) => {
                format!("{}; someone else changed the topic meanwhile: {difference}", words(answer))
            }
            _ => format!("{}; it was not done: {difference}", words(answer)),
        }),
    }
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::RefusedAfterLoss(refusal) | Answer::Refused(refusal) => refusal.to_string(),
        Answer::Lost(error) => error.to_string(),
        Answer::Done | Answer::NotSent => String::new(),
    }
}
