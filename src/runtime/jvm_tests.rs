//! What others make of our records, on the JVM: a real Spring Kafka of dead letters, Debezium's EventRouter of the outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::oneshot;

use super::consumer::{self, Consumer, Intake, Options};
use super::relay::{self, Relay};
use super::{BatchOutcome, HandleError, Handler};
use crate::kafka::testing::{self, DEADLINE};
use crate::kafka::{Cluster, Producer};
use crate::messaging::{Header, Outgoing, Record, publish_all};
use crate::store::outbox::{self, Event, KeyOrder};
use crate::store::testing::{OutboxRow, TestStore, execute, outbox_rows};
use crate::store::{Store, Tx};
use crate::unit::UnixMillis;

/// Runs a program of `tests/jvm`; its answers, one a line.
async fn java(program: &str, args: &[&str], input: &str) -> Vec<Value> {
    let folder = std::env::var("KAFKAFLOW_TEST_JVM")
        .expect("KAFKAFLOW_TEST_JVM is not set: run this by ./dev test, which compiles tests/jvm");
    let mut child = Command::new(format!("{folder}/run"))
        .arg(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Java starts");
    let mut stdin = child.stdin.take().unwrap();
    let written = async move {
        // A program that does not read its input closes it, and that is its business.
        let _ = stdin.write_all(input.as_bytes()).await;
    };
    let ended = async { tokio::join!(written, child.wait_with_output()).1 };
    let ended = tokio::time::timeout(DEADLINE * 2, ended).await;
    let output = ended.unwrap_or_else(|_| panic!("{program} did not end")).unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    answers.lines().map(|line| serde_json::from_str(line).expect("an answer is JSON")).collect()
}

fn cluster() -> Cluster {
    testing::brokers().into()
}

async fn read(topic: &str, partitions: i32, count: usize) -> Vec<Record> {
    let topic = topic.to_owned();
    let read = tokio::task::spawn_blocking(move || testing::read(&topic, partitions, count));
    read.await.unwrap().into_values().flatten().collect()
}

// --- dead letters

/// Of every dead-letter topic; fewer than the sources have.
const BOXES: i32 = 2;

struct Refuses;

impl Handler for Refuses {
    async fn handle(&self, _: &mut Tx, _: &[Record]) -> BatchOutcome {
        BatchOutcome::Failed(HandleError::poison("no such product"))
    }
}

async fn publish(records: Vec<Outgoing>) {
    for outcome in publish_all(&cluster().producer().unwrap(), records).await {
        outcome.unwrap();
    }
}

/// Lets a consumer of ours refuse all that these topics hold, until so many dead letters are there.
async fn refuse(group: &str, topics: &[&str], letters: &[(&str, usize)]) {
    let intake = |topic: &str| Intake { dead_letters: Some(format!("{topic}.DLT")), ..Intake::default() };
    let intakes = topics.iter().map(|topic| ((*topic).to_owned(), intake(topic))).collect();
    let options = Options::of(group, intakes);
    let consumer: Consumer<Refuses, Producer> =
        Consumer::new(Refuses, cluster().producer().unwrap(), None, options);
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        consumer::run(consumer, &cluster(), None, Duration::from_secs(10), stopped).await
    });
    for (topic, count) in letters {
        read(topic, BOXES, *count).await;
    }
    drop(stop);
    running.await.unwrap().unwrap();
}

/// Where a dead letter comes from, as it says; the last of several places.
fn origin(letter: &Record) -> (String, i32, i64) {
    let header = |name: &str| letter.header(&format!("kafka_dlt-original-{name}")).unwrap().to_vec();
    (
        String::from_utf8(header("topic")).unwrap(),
        i32::from_be_bytes(header("partition").try_into().unwrap()),
        i64::from_be_bytes(header("offset").try_into().unwrap()),
    )
}

/// The headers that say why, by name, and all others, as they stand.
type Headers<'r> = (BTreeSet<&'r str>, Vec<(&'r str, Option<&'r [u8]>)>);

fn headers(letter: &Record) -> Headers<'_> {
    let (why, rest): (Vec<_>, Vec<_>) =
        letter.headers().partition(|(name, _)| name.starts_with("kafka_dlt-exception-"));
    assert_eq!(why.len(), why.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(), "{why:?}");
    (why.into_iter().map(|(name, _)| name).collect(), rest)
}

fn encoded(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| STANDARD.encode(bytes))
}

/// What Spring's reader says of the dead letter of a record, but for why it died.
fn as_spring_reads_it(source: &Record, letters: &str, group: &str) -> Value {
    let timestamp = source.timestamp().unwrap();
    let own: Vec<_> = source
        .headers()
        .filter(|(name, _)| !name.starts_with("kafka_dlt-"))
        .map(|(name, value)| (name, encoded(value)))
        .collect();
    json!({
        "letter": letters,
        "topic": source.topic(),
        "partition": source.partition(),
        "offset": source.offset(),
        "timestamp": timestamp.at.0,
        "timestampType": timestamp.kind.name(),
        "group": group,
        "key": encoded(source.key()),
        "value": encoded(source.value()),
        "headers": own,
    })
}

fn outgoing(topic: &str, partition: i32, key: Option<&[u8]>, value: Option<&[u8]>) -> Outgoing {
    Outgoing {
        topic: topic.to_owned(),
        partition: Some(partition),
        key: key.map(<[u8]>::to_vec),
        value: value.map(<[u8]>::to_vec),
        headers: Vec::new(),
        timestamp: Some(UnixMillis::now().before(Duration::from_secs(1800))),
    }
}

fn an_earlier_death() -> Vec<Header> {
    let dlt = |name: &str, value: &[u8]| Header::new(format!("kafka_dlt-{name}"), value);
    vec![
        dlt("exception-fqcn", b"Old"),
        dlt("exception-cause-fqcn", b"Older"),
        dlt("exception-message", b"old"),
        dlt("exception-stacktrace", b"old"),
        dlt("key-exception-fqcn", b"OldKey"),
        dlt("original-topic", b"elsewhere"),
        dlt("original-partition", &9_i32.to_be_bytes()),
        dlt("original-offset", &9_i64.to_be_bytes()),
        dlt("original-timestamp", &9_i64.to_be_bytes()),
        dlt("original-timestamp-type", b"CreateTime"),
        dlt("original-consumer-group", b"others"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn spring_reads_our_dead_letters_and_writes_the_same_ones() {
    let prefix = testing::prefix("spring");
    let (orders, stamped) = (format!("{prefix}orders"), format!("{prefix}stamped"));
    testing::topic(&orders, 3, &[]).await;
    testing::topic(&stamped, 1, &[("message.timestamp.type", "LogAppendTime")]).await;
    let letters = |topic: &str| [format!("{topic}.DLT"), format!("{topic}.spring")];
    for topic in [&orders, &stamped].into_iter().flat_map(|topic| letters(topic)) {
        testing::topic(&topic, BOXES, &[]).await;
    }
    let began = UnixMillis::now();
    publish(vec![
        Outgoing {
            headers: vec![
                Header::new("eventId", "evt-1"),
                Header::new("twice", "1"),
                Header { name: "nothing".to_owned(), value: None },
                Header::new("twice", "2"),
                Header::new("empty", ""),
                Header::new("b\u{fc}tes", b"\xff\x00\x80"),
            ],
            ..outgoing(&orders, 2, Some(b"ORD-1"), Some(b"{\"n\":1.10}"))
        },
        outgoing(&orders, 1, None, None),
        Outgoing { headers: an_earlier_death(), ..outgoing(&orders, 0, Some(b"\xff"), Some(b"\xfe\xff")) },
        outgoing(&orders, 2, Some(b""), Some(b"")),
        outgoing(&stamped, 0, Some(b"ORD-1"), Some(b"{}")),
    ])
    .await;
    let counts = [(&orders, 3, 4), (&stamped, 1, 1)];

    let [our_orders, our_stamped] = [&orders, &stamped].map(|topic| format!("{topic}.DLT"));
    refuse(&prefix, &[&orders, &stamped], &[(&our_orders, 4), (&our_stamped, 1)]).await;
    let brokers = std::env::var("KAFKAFLOW_TEST_BROKERS").unwrap();
    let recovered = counts.map(async |(topic, partitions, count)| {
        let [partitions, count] = [partitions, count].map(|number: i32| number.to_string());
        let args = [&brokers, &prefix, topic, &partitions, &count, &letters(topic)[1]];
        java("SpringRecoverer", &args.map(String::as_str), "").await
    });
    futures_util::future::join_all(recovered).await;

    let mut expected = Vec::new();
    for (topic, partitions, count) in counts {
        let count = usize::try_from(count).unwrap();
        let mut found = Vec::new();
        for letters in letters(topic) {
            let by_origin: BTreeMap<_, _> = read(&letters, BOXES, count)
                .await
                .into_iter()
                .map(|letter| (origin(&letter), letter))
                .collect();
            assert_eq!(by_origin.len(), count);
            found.push(by_origin);
        }
        for source in read(topic, partitions, count).await {
            let place = (source.topic().to_owned(), source.partition(), source.offset());
            let [ours, springs] = [&found[0][&place], &found[1][&place]];
            for letter in [ours, springs] {
                assert_eq!((letter.key(), letter.value()), (source.key(), source.value()));
                assert_eq!(letter.partition(), source.partition() % BOXES);
                assert!(letter.timestamp().unwrap().at >= began);
                expected.push(as_spring_reads_it(&source, letter.topic(), &prefix));
            }
            let ((our_why, our_rest), (springs_why, springs_rest)) = (headers(ours), headers(springs));
            assert_eq!(our_rest, springs_rest);
            // We have no class of a cause: what is behind a failure stands in the trace.
            let known = our_why.into_iter().chain(["kafka_dlt-exception-cause-fqcn"]).collect();
            assert_eq!(springs_why, known);
        }
    }

    let topics: Vec<String> = [&orders, &stamped].into_iter().flat_map(|topic| letters(topic)).collect();
    let count = expected.len().to_string();
    let args: Vec<&str> = [&brokers, &count].into_iter().chain(&topics).map(String::as_str).collect();
    let mut answers = java("SpringReader", &args, "").await;
    let mut whys = BTreeSet::new();
    for answer in &mut answers {
        let answer = answer.as_object_mut().unwrap();
        let mut why = |name| answer.remove(name).unwrap().as_str().unwrap().to_owned();
        let (class, message, trace) = (why("fqcn"), why("message"), why("stacktrace"));
        if [&our_orders, &our_stamped].iter().any(|letters| answer["letter"] == **letters) {
            assert_eq!(trace, format!("{class}: {message}"));
            whys.insert((class, message));
        } else {
            assert_eq!(class, "org.springframework.kafka.listener.ListenerExecutionFailedException");
        }
    }
    assert_eq!(whys, BTreeSet::from([("kafkaflow.Poison".to_owned(), "no such product".to_owned())]));
    let sorted = |mut values: Vec<Value>| {
        values.sort_by_key(ToString::to_string);
        values
    };
    assert_eq!(sorted(answers), sorted(expected));
}

// --- the outbox

const DEBEZIUM: &str = include_str!("../../docs/outbox-debezium.md");

/// The first piece of code in that language on the page about Debezium.
fn shown(language: &str) -> &'static str {
    let begin = format!("```{language}\n");
    DEBEZIUM.split_once(&begin).and_then(|(_, rest)| rest.split_once("\n```")).expect("it is shown").0
}

/// The rows of the outbox as the columns' names and values.
async fn rows(store: &Store) -> Vec<Value> {
    let row = |(seq, id, of, key, event_type, payload, topic, traceparent, created_at): OutboxRow| {
        json!({
            "seq": seq, "id": id, "aggregatetype": of, "aggregateid": key, "type": event_type,
            "payload": payload, "topic": topic, "traceparent": traceparent, "created_at": created_at,
        })
    };
    outbox_rows(store).await.into_iter().map(row).collect()
}

async fn write(store: &Store, events: &[Event], at: UnixMillis) {
    let mut tx = store.tx();
    outbox::write(&mut tx, events, KeyOrder::Lock, at).await.unwrap();
    tx.commit().await.unwrap();
}

/// Publishes so many rows.
async fn relay(store: &Store, count: usize) {
    let producer = cluster().producer().unwrap();
    let mut relay = Relay::new(store.clone(), producer, relay::Options::default(), "relay of the test");
    relay.refresh(UnixMillis::now()).await.unwrap();
    let mut published = 0;
    while published < count {
        published += relay.relay_once(UnixMillis::now()).await.unwrap().published;
    }
}

/// A record as the judge shows one.
fn described(record: &Record) -> Value {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers: Vec<_> = record.headers().map(|(name, value)| (name, value.map(text))).collect();
    json!({
        "topic": record.topic(),
        "partition": null, // Left to the producer, which takes the key's own.
        "key": record.key().map(text),
        "value": record.value().map(text),
        "headers": headers,
    })
}

/// Takes the headers away that have no value; their names.
fn without_value(record: &mut Value) -> Vec<String> {
    let headers = record["headers"].as_array_mut().unwrap();
    let gone = headers.extract_if(.., |header| header[1].is_null());
    gone.map(|header| header[0].as_str().unwrap().to_owned()).collect()
}

fn event(n: usize, topics: &[String]) -> Event {
    let payloads =
        ["{\"total\": 19.90,  \"a\":\"\u{fc}\\u00fc\u{1f980}\"}", "{\"b\":1,\"a\":1e2}\n", "[]", " ", ""];
    Event {
        // Text stays text, whatever it looks like.
        id: if n == 0 { "7".to_owned() } else { format!("evt-{n}") },
        aggregate_type: "order".to_owned(),
        aggregate_id: if n == 1 { String::new() } else { format!("ORD-\u{fc}{}", n % 4) },
        event_type: "OrderPlaced".to_owned(),
        payload: payloads[n % payloads.len()].to_owned(),
        topic: topics[n % topics.len()].clone(),
        traceparent: (!n.is_multiple_of(3)).then(|| format!("00-{n:032x}-{n:016x}-01")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn debezium_would_publish_what_the_relay_publishes() {
    const COUNT: usize = 24;
    let prefix = testing::prefix("debezium");
    let topics = [format!("{prefix}order-placed"), format!("{prefix}send-notification")];
    for topic in &topics {
        testing::topic(topic, 3, &[]).await;
    }
    let events: Vec<Event> = (0..COUNT).map(|n| event(n, &topics)).collect();
    let test = TestStore::postgres(&[]).await;
    write(&test.store, &events, UnixMillis::now()).await;

    let rows = rows(&test.store).await;
    let settings: Value = serde_json::from_str(shown("json")).unwrap();
    let lines: Vec<String> =
        std::iter::once(&settings["config"]).chain(&rows).map(|line| format!("{line}\n")).collect();
    let mut expected = java("EventRouterJudge", &[], &lines.concat()).await;

    relay(&test.store, COUNT).await;
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for topic in &topics {
        for record in read(topic, 3, COUNT / topics.len()).await {
            let id = String::from_utf8(record.header("id").unwrap().to_vec()).unwrap();
            found.insert(id, described(&record));
        }
    }

    assert_eq!(expected.len(), COUNT);
    for (record, event) in expected.iter_mut().zip(&events) {
        // A row without a trace has a header without a value there, and none here.
        let untraced = if event.traceparent.is_none() { vec!["traceparent"] } else { vec![] };
        assert_eq!(without_value(record), untraced);
        assert_eq!(found.get(&event.id), Some(&*record));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_on_the_page_about_debezium_prunes_what_is_older_than_a_day() {
    let topic = format!("{}pruned", testing::prefix("debezium"));
    testing::topic(&topic, 1, &[]).await;
    let test = TestStore::postgres(&[]).await;
    let days_ago = |days: u64| UnixMillis::now().before(Duration::from_secs(days * 24 * 60 * 60));
    let events: Vec<Event> = (0..3).map(|n| event(n, std::slice::from_ref(&topic))).collect();
    write(&test.store, &events[..1], days_ago(3)).await;
    relay(&test.store, 1).await;
    write(&test.store, &events[1..2], days_ago(2)).await;
    write(&test.store, &events[2..], days_ago(0)).await;
    execute(&test.store, shown("sql")).await;
    let status = outbox::status(&mut test.store.reading(), UnixMillis::now()).await.unwrap();
    assert_eq!((status.pending, status.published), (1, 0));
    let left = rows(&test.store).await;
    assert_eq!((left.len(), &left[0]["id"]), (1, &json!("evt-2")));
}
