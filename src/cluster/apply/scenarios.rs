//! What happens when a request does not simply succeed. Time is paused: no test waits.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::converge::{Behind, converge};
use super::execute::{Outcome, execute};
use super::settle::Patience;
use crate::cluster::memory::{Fault, Memory, refusal};
use crate::cluster::port::{Mode, NewTopic, RefusalKind, Topics};
use crate::cluster::verify::verify;
use crate::plan::{Action, Change, Plan, Unmanaged, Verification};
use crate::topology::TopicName;
use crate::topology::observed::Source;

fn name(text: &str) -> TopicName {
    TopicName::parse(text).unwrap()
}

fn create(topic: &str, partitions: i32) -> Change {
    let action =
        Action::Create { partitions, replication: Some(3), configs: BTreeMap::new(), dead_letters_of: None };
    Change::new(&name(topic), action)
}

fn set(topic: &str, key: &str, to: &str) -> Change {
    let action = Action::SetConfig { key: key.into(), from: None, source: Source::Default, to: to.into() };
    Change::new(&name(topic), action)
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan { cluster_id: "memory".into(), changes, unmanaged: Unmanaged::default(), unchanged: 0 }
}

struct Scenario {
    cluster: Memory,
    stop: watch::Sender<bool>,
    patience: Patience,
}

impl Scenario {
    fn new(faults: Vec<Fault>) -> Self {
        let cluster = Memory::empty();
        cluster.faults.replace(faults);
        let (stop, stopped) = watch::channel(false);
        let patience = Patience { deadline: Instant::now() + Duration::from_secs(60), stop: stopped };
        Self { cluster, stop, patience }
    }

    async fn run(&self, changes: Vec<Change>) -> Vec<Outcome> {
        execute(&self.cluster, &plan(changes), &self.patience, &mut |_| {}).await
    }

    fn topics(&self) -> Vec<String> {
        self.cluster.state.borrow().topics.keys().map(ToString::to_string).collect()
    }
}

fn failed(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(words) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_bad_topic_does_not_fail_its_neighbours() {
    let scenario = Scenario::new(vec![]);
    let bad = Change::new(
        &name("bad"),
        Action::Create {
            partitions: 1,
            replication: Some(9),
            configs: BTreeMap::new(),
            dead_letters_of: None,
        },
    );
    let outcomes = scenario.run(vec![create("a", 1), bad, create("b", 1)]).await;
    assert_eq!((&outcomes[0], &outcomes[2]), (&Outcome::Done, &Outcome::Done));
    assert!(failed(&outcomes[1]).starts_with("INVALID_REPLICATION_FACTOR"));
    assert_eq!(scenario.topics(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_as_a_whole_is_cut_in_two_until_it_passes() {
    let policy = || Fault::Refused(refusal("POLICY_VIOLATION", "too large", RefusalKind::WholeRequest));
    let scenario = Scenario::new(vec![policy(), policy()]);
    let outcomes = scenario.run((0..8).map(|n| create(&format!("t{n}"), 1)).collect()).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Done), "{outcomes:?}");
    assert_eq!(*scenario.cluster.requests.borrow(), [8, 4, 2, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_a_policy_refuses_by_itself_fails_alone() {
    let policy = || Fault::Refused(refusal("POLICY_VIOLATION", "no", RefusalKind::WholeRequest));
    let scenario = Scenario::new(vec![policy(), policy()]);
    let outcomes = scenario.run(vec![create("a", 1), create("b", 1)]).await;
    assert_eq!(outcomes, [Outcome::Failed("POLICY_VIOLATION: no".into()), Outcome::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_waits_as_long_as_it_is_told() {
    let throttle = RefusalKind::Throttled(Duration::from_secs(7));
    let fault = Fault::Refused(refusal("THROTTLING_QUOTA_EXCEEDED", "later", throttle));
    let scenario = Scenario::new(vec![fault]);
    let began = Instant::now();
    assert_eq!(scenario.run(vec![create("a", 1)]).await, [Outcome::Done]);
    assert_eq!(began.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_beyond_the_deadline_is_reported_and_not_waited_for() {
    let throttle = RefusalKind::Throttled(Duration::from_secs(600));
    let fault = Fault::Refused(refusal("THROTTLING_QUOTA_EXCEEDED", "later", throttle));
    let scenario = Scenario::new(vec![fault]);
    let began = Instant::now();
    let outcomes = scenario.run(vec![create("a", 1)]).await;
    assert!(failed(&outcomes[0]).starts_with("THROTTLING_QUOTA_EXCEEDED"));
    assert_eq!(began.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_got_lost_is_looked_up() {
    let scenario = Scenario::new(vec![Fault::AnswerLost]);
    assert_eq!(scenario.run(vec![create("a", 1), create("b", 2)]).await, [Outcome::Done, Outcome::Done]);
    // The second attempt was refused, because the first had worked.
    assert_eq!(*scenario.cluster.requests.borrow(), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn added_partitions_whose_answer_got_lost_are_looked_up() {
    let scenario = Scenario::new(vec![]);
    scenario.run(vec![create("a", 2)]).await;
    scenario.cluster.faults.replace(vec![Fault::AnswerLost]);
    let more = Change::new(&name("a"), Action::AddPartitions { from: 2, to: 5 });
    assert_eq!(scenario.run(vec![more]).await, [Outcome::Done]);
}

#[tokio::test(start_paused = true)]
async fn what_a_broker_sent_to_two_controllers_is_looked_up() {
    let scenario = Scenario::new(vec![Fault::SentAgain]);
    assert_eq!(scenario.run(vec![create("a", 2), create("b", 2)]).await, [Outcome::Done, Outcome::Done]);
    scenario.cluster.faults.replace(vec![Fault::SentAgain]);
    let more = Change::new(&name("a"), Action::AddPartitions { from: 2, to: 5 });
    assert_eq!(scenario.run(vec![more]).await, [Outcome::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_got_lost_is_sent_again() {
    let scenario = Scenario::new(vec![Fault::RequestLost, Fault::RequestLost]);
    assert_eq!(scenario.run(vec![create("a", 1)]).await, [Outcome::Done]);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_topic_is_not_taken_for_ours_after_a_loss() {
    let scenario = Scenario::new(vec![Fault::RequestLost]);
    let theirs = NewTopic { name: name("a"), partitions: 7, replication: Some(1), configs: BTreeMap::new() };
    scenario.cluster.create(&[theirs], Mode::Execute).await.unwrap_err();
    let theirs = NewTopic { name: name("a"), partitions: 7, replication: Some(1), configs: BTreeMap::new() };
    scenario.cluster.create(&[theirs], Mode::Execute).await.unwrap();
    scenario.cluster.faults.replace(vec![Fault::RequestLost]);
    let outcomes = scenario.run(vec![create("a", 3)]).await;
    assert!(failed(&outcomes[0]).contains("it has 7 partitions, not 3"), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_never_got_an_answer_is_reported_as_not_done_when_the_cluster_does_not_show_it() {
    let scenario = Scenario::new(vec![Fault::RequestLost; 500]);
    let outcomes = scenario.run(vec![create("a", 1)]).await;
    assert!(failed(&outcomes[0]).contains("it was not done: there is no such topic"), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_sends_nothing_more() {
    let scenario = Scenario::new(vec![]);
    scenario.stop.send(true).unwrap();
    let outcomes = scenario.run(vec![create("a", 1)]).await;
    assert_eq!(outcomes, [Outcome::Skipped("stopped before it was sent".into())]);
    assert!(scenario.topics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_behind_is_waited_for() {
    let scenario = Scenario::new(vec![]);
    let plan = plan(vec![create("a", 1)]);
    let outcomes = execute(&scenario.cluster, &plan, &scenario.patience, &mut |_| {}).await;
    scenario.cluster.lagging.set(Some((2, 1)));
    let mut rounds = Vec::new();
    let behind = converge(&scenario.cluster, &plan, &outcomes, &scenario.patience, &mut |behind| {
        rounds.push(behind.to_vec());
    })
    .await;
    assert_eq!(behind, []);
    let expected = Behind { broker: Some(2), changes: 1, example: "`a`: there is no such topic".into() };
    assert_eq!(rounds, [[expected]]);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_stays_behind_is_named_when_patience_ends() {
    let scenario = Scenario::new(vec![]);
    let plan = plan(vec![create("a", 1), create("b", 1)]);
    let outcomes = execute(&scenario.cluster, &plan, &scenario.patience, &mut |_| {}).await;
    // Someone else takes the topic away again: no broker will ever show it.
    scenario.cluster.state.borrow_mut().topics.remove(&name("a"));
    let behind = converge(&scenario.cluster, &plan, &outcomes, &scenario.patience, &mut |_| {}).await;
    assert_eq!(
        behind.iter().map(|lag| (lag.broker, lag.changes)).collect::<Vec<_>>(),
        [(Some(1), 1), (Some(2), 1), (Some(3), 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn of_several_settings_only_the_guilty_one_is_marked_as_refused() {
    let scenario = Scenario::new(vec![]);
    scenario.run(vec![create("a", 1), create("b", 1)]).await;
    let asked = plan(vec![
        set("a", "retention.ms", "1000"),
        set("a", "no.such.key", "1"),
        set("b", "retention.ms", "1000"),
        create("bad.replicas", 1),
    ]);
    let verified = verify(&scenario.cluster, asked, &scenario.patience).await.unwrap();
    let verifications: Vec<&Verification> =
        verified.plan.changes.iter().map(|change| &change.verification).collect();
    assert_eq!(verifications[0], &Verification::Accepted);
    assert_eq!(
        verifications[1],
        &Verification::Refused("INVALID_CONFIG: Unknown topic config name: no.such.key".into())
    );
    assert_eq!(verifications[2], &Verification::Accepted);
    assert_eq!(verifications[3], &Verification::Accepted);
}

#[tokio::test(start_paused = true)]
async fn a_login_without_the_right_to_ask_leaves_the_change_unverified() {
    let scenario = Scenario::new(vec![]);
    let refused = refusal("TOPIC_AUTHORIZATION_FAILED", "no", RefusalKind::Unauthorized);
    scenario.cluster.asking.replace(Some(refused));
    let verified = verify(&scenario.cluster, plan(vec![create("a", 1)]), &scenario.patience).await.unwrap();
    assert_eq!(verified.plan.changes[0].verification, Verification::Unverified("CREATE on a".into()));
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_knows_a_newer_state_contradicts_the_plan() {
    let scenario = Scenario::new(vec![]);
    scenario.run(vec![create("a", 4)]).await;
    let more = Change::new(&name("a"), Action::AddPartitions { from: 2, to: 4 });
    for change in [create("a", 1), more] {
        let verified = verify(&scenario.cluster, plan(vec![change]), &scenario.patience).await.unwrap();
        assert!(verified.outdated);
        assert!(matches!(verified.plan.changes[0].verification, Verification::Refused(_)));
    }
}
