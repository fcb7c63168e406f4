//! `outbox status`, `verify` and `dead` over both stores, on real brokers.

use std::time::Duration;

use kafkaflow::kafka::Cluster;
use kafkaflow::messaging::{Header, Outgoing, publish_alone};
use kafkaflow::runtime::relay::{Options, Relay};
use kafkaflow::store::outbox::{self, Event, KeyOrder};
use kafkaflow::store::{Location, Store};
use kafkaflow::unit::UnixMillis;

use crate::support::Folder;
use crate::support::brokers::{brokers, create_topic, prefix};
use crate::support::stores::{database, sqlite};

fn event(topic: &str, id: &str, key: &str) -> Event {
    Event {
        id: id.to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: key.to_owned(),
        event_type: "OrderPlaced".to_owned(),
        payload: "{}".to_owned(),
        topic: topic.to_owned(),
        traceparent: None,
    }
}

async fn write(store: &Store, events: &[Event]) {
    let mut tx = store.tx();
    outbox::write(&mut tx, events, KeyOrder::Lock, UnixMillis::now()).await.unwrap();
    tx.commit().await.unwrap();
}

/// Publishes all that waits.
async fn relay(store: &Store) {
    let producer = Cluster::at(&brokers()).unwrap().producer().unwrap();
    let mut relay = Relay::new(store.clone(), producer, Options::default(), "relay of the test");
    relay.refresh(UnixMillis::now()).await.unwrap();
    let mut found = 1;
    while found > 0 || relay.in_flight() > 0 {
        found = relay.relay_once(UnixMillis::now()).await.unwrap().found;
        relay.finish(Duration::from_secs(30), UnixMillis::now()).await.unwrap();
    }
}

/// As another program would: the record of an event, past the outbox.
async fn publish(topic: &str, id: &str, key: &str) {
    let producer = Cluster::at(&brokers()).unwrap().producer().unwrap();
    let record = Outgoing {
        topic: topic.to_owned(),
        partition: None,
        key: Some(key.as_bytes().to_vec()),
        value: Some(b"{}".to_vec()),
        headers: vec![Header::new("id", id.as_bytes())],
        timestamp: None,
    };
    publish_alone(&producer, record).await.unwrap();
    drop(producer);
}

async fn commands_tell_the_truth(folder: &Folder, location: &str) {
    let prefix = prefix("outbox");
    let topic = format!("{prefix}.orders");
    create_topic(&topic, 2, &[]);
    let run = |args: &[&str]| {
        let brokers = brokers();
        let env = [("KAFKAFLOW_STORE", location), ("KAFKAFLOW_BROKERS", brokers.as_str())];
        folder.run_with(args, &env, b"")
    };
    let place: Location = location.parse().unwrap();
    let nothing = run(&["outbox", "status"]);
    assert_eq!(nothing.code, 1, "{}", nothing.stderr);
    assert!(nothing.stderr.contains("there is no service's store in"), "{}", nothing.stderr);
    assert!(!nothing.stderr.contains("kafkaflow:kafkaflow"), "a password: {}", nothing.stderr);

    let store = Store::open(&place, "order", &[], 4).await.unwrap();
    write(&store, &["e1", "e2", "e3"].map(|id| event(&topic, id, "a"))).await;
    let status = run(&["outbox", "status", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((json[0]["service"].as_str(), json[0]["pending"].as_i64()), (Some("order"), Some(3)));
    relay(&store).await;
    let fine = run(&["outbox", "verify", "--service", "order"]);
    assert_eq!((fine.code, fine.stdout.lines().next()), (0, Some("order: fine")), "{}", fine.stderr);

    // A repeat is no error; a row that was never written is; so is one that comes after a later one of its key.
    publish(&topic, "e1", "a").await;
    let repeated = run(&["outbox", "verify"]);
    assert_eq!(repeated.code, 0, "{}{}", repeated.stdout, repeated.stderr);
    assert!(repeated.stdout.contains("1 records there once more"), "{}", repeated.stdout);
    write(&store, &["e4", "e5"].map(|id| event(&topic, id, "b"))).await;
    publish(&topic, "e5", "b").await;
    publish(&topic, "e4", "b").await;
    write(&store, &[event(&topic, "e6", "c")]).await;
    let mut tx = store.tx();
    let seqs: Vec<i64> = outbox::kept(&mut tx, 0, 10).await.unwrap().iter().map(|row| row.seq).collect();
    let published: Vec<outbox::Published> =
        seqs[3..].iter().map(|seq| outbox::Published { seq: *seq, partition: 0, offset: 0 }).collect();
    outbox::settle(&mut tx, &published, &[], UnixMillis::now()).await.unwrap();
    tx.commit().await.unwrap();
    let wrong = run(&["outbox", "verify", "--format", "json"]);
    assert_eq!(wrong.code, 3, "{}{}", wrong.stdout, wrong.stderr);
    let json: serde_json::Value = serde_json::from_str(&wrong.stdout).unwrap();
    let events = |what: &str| -> Vec<String> {
        let rows = json[0][what].as_array().unwrap();
        rows.iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((events("lost"), events("reordered")), (vec!["e6".to_owned()], vec!["e4".to_owned()]));
    assert!(run(&["outbox", "verify"]).stdout.contains("  lost: row 6 e6 of key c"));

    dead_rows(&run, &store, &prefix).await;
    store.close().await;
}

async fn dead_rows(run: &impl Fn(&[&str]) -> crate::support::Run, store: &Store, prefix: &str) {
    let missing = format!("{prefix}.missing");
    write(store, &[event(&missing, "e7", "d"), event(&missing, "e8", "d")]).await;
    relay(store).await;
    let dead = run(&["outbox", "dead"]);
    let line = dead.stdout.lines().nth(1).unwrap_or_default().to_owned();
    assert!(
        line.contains("e7") && line.contains("no broker knows the topic"),
        "{}{}",
        dead.stdout,
        dead.stderr
    );
    let refused = run(&["outbox", "dead", "--drop", "1", "--service", "order"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    create_topic(&missing, 2, &[]);
    let again = run(&["outbox", "dead", "--retry", "all", "--service", "order"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "1 row wait to be published again\n"),
        "{}",
        again.stderr
    );
    relay(store).await;
    assert_eq!(run(&["outbox", "dead"]).stdout, "no dead row\n");
    let mut tx = store.reading();
    assert_eq!(outbox::status(&mut tx, UnixMillis::now()).await.unwrap().pending, 0);
}

fn within<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(180), work).await.expect("in time") })
}

#[test]
fn the_outbox_commands_tell_the_truth_over_sqlite() {
    let folder = Folder::new();
    within(commands_tell_the_truth(&folder, &sqlite(&folder)));
}

#[test]
fn the_outbox_commands_tell_the_truth_over_postgresql() {
    within(async {
        let location = database().await;
        commands_tell_the_truth(&Folder::new(), &location).await;
    });
}

#[test]
fn whoever_names_a_wrong_store_is_told_what_there_is() {
    let folder = Folder::new();
    within(async {
        let location: Location = sqlite(&folder).parse().unwrap();
        Store::open(&location, "order", &[], 2).await.unwrap().close().await;
    });
    let store = sqlite(&folder);
    for (args, expected) in [
        (&["outbox", "status", "--store", "mysql://me:secret@x"][..], "--store says no store"),
        (&["outbox", "status", "--store", &store, "--service", "ordr"], "did you mean `order`?"),
        (&["outbox", "dead", "--store", &store, "--drop", "7"], "has no dead row 7"),
        (
            &["outbox", "status", "--store", "postgres://me:secret@127.0.0.1:1/x"],
            "cannot read postgres://me@127.0.0.1:1/x",
        ),
    ] {
        let run = folder.run(args);
        assert!(run.code == 1 || run.code == 2, "{args:?}");
        assert!(run.stderr.contains(expected), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    }
}
