//! `kafkaflow run`: how a service begins, is configured, and ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::support::Folder;
use crate::support::brokers::{brokers, eventually};
use crate::support::system::{SOON, System, client, order};

#[test]
fn a_cluster_that_lacks_what_the_topology_promises_is_refused() {
    let system = System::new("lacking", None);
    let (brokers, store) = (brokers(), system.store.clone());
    let args = ["run", "order", "--topology", "topology.yaml", "--listen", "127.0.0.1:0", "--store", &store];
    let run = system.folder.run(&[&args[..], &["-b", &brokers]].concat());
    assert_eq!(run.code, 1);
    let said: Vec<&str> = run.stderr.lines().skip_while(|line| !line.starts_with("error")).collect();
    let missing = |name| format!("  because: there is no topic {}", system.topic(name));
    assert_eq!(
        said,
        [
            "error: order-service does not start: the cluster lacks what the topology promises",
            &missing("inventory-service.cancel-reservation"),
            &missing("inventory-service.inventory-result"),
            &missing("inventory-service.inventory-result.DLT"),
            &missing("notification-service.send-notification"),
            &missing("order-service.order-placed"),
            "  help: `kafkaflow apply topology.yaml` makes what is missing; `kafkaflow init` writes that file where you have none of your own",
        ]
    );
}

#[test]
fn a_cluster_that_cannot_be_reached_is_waited_for_and_orders_are_taken_meanwhile() {
    // A port that nobody serves.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let system = System::new("unreachable", None);
    let mut service = system.run_at(&nobody, "order", &[], &[]);
    service.ready();
    let id = service.place("PROD-101", 1);
    let (status, said) = service.get(&format!("/orders/{id}"));
    assert_eq!((status, said["status"].as_str()), (200, Some("PENDING")));
    let health = eventually(SOON, || {
        let (status, health) = service.get("/healthz");
        assert_eq!(status, 200);
        (health["parts"]["start"]["status"] == "troubled").then_some(health)
    });
    let why = health["parts"]["start"]["detail"].as_str().unwrap();
    assert!(why.starts_with("the cluster cannot be reached: "), "{why}");
    eventually(SOON, || {
        service.log().contains("the cluster cannot be reached, which is tried again").then_some(())
    });
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_service_that_is_told_to_end_ends_though_a_stream_is_open() {
    let system = System::new("ending", None);
    system.apply();
    let service = system.run("order", &[]);
    let id = service.place("PROD-101", 1);
    let stream = client().get(format!("{}/orders/{id}/events", service.url)).send().unwrap();
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, "id: 1\n");
    service.signal("TERM");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let (code, log) = service.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ending: what is in hand is finished"), "{log}");
    // Nobody's data is in the log.
    for secret in ["ada.secret", "123 Main St", "CUST-42"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn metrics_say_what_a_service_did() {
    let system = System::new("metrics", None);
    system.apply();
    let service = system.run("order", &[]);
    service.place("PROD-101", 1);
    let published = "kafkaflow_relay_published_total{service=\"order-service\"} 1\n";
    let text = eventually(SOON, || Some(service.text("/metrics")).filter(|text| text.contains(published)));
    assert!(
        text.contains("kafkaflow_http_requests_total{method=\"POST\",route=\"/orders\",status=\"202\"} 1\n"),
        "{text}"
    );
    assert!(text.contains("# HELP kafkaflow_outbox_pending_rows "), "{text}");
    assert!(!text.contains("NaN") && !text.contains("CUST-42"), "{text}");
    assert_eq!(service.get("/healthz").1["parts"]["relay"]["status"], "ok");
}

#[test]
fn what_is_in_effect_is_printed_as_a_file_that_can_be_used() {
    let folder = Folder::new();
    let env = [("KAFKAFLOW_STORE", "postgres://u:hunter2@db.example/shop"), ("KAFKAFLOW_BROKERS", "b1:9092")];
    let file =
        "brokers: other:1\nlisten: \"127.0.0.1:9\"\ndecline-rate: 0.5\nsession-timeout: 30\nenv: dev\n";
    folder.write("settings.yaml", file);
    let args = ["run", "order", "--settings", "settings.yaml", "--session-timeout", "20", "--print-config"];
    let run = folder.run_with(&args, &env, b"");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout);
    let lines: Vec<&str> = run.stdout.lines().filter(|line| !line.starts_with("store")).collect();
    folder.write("again.yaml", lines.join("\n"));
    let again = folder.run_with(&["run", "order", "--settings", "again.yaml", "--print-config"], &env, b"");
    assert_eq!(again.stdout, run.stdout);
}

#[test]
fn settings_that_cannot_be_used_are_refused_with_what_to_type() {
    let folder = Folder::new();
    folder.write("unknown.yaml", "brokerz: x:1\n");
    folder.write("empty-token", " \n");
    let run = |args: &[&str]| {
        let all = [&["run", "order", "-b", "127.0.0.1:1"], args].concat();
        let run = folder.run(&all);
        format!("{} {}", run.code, run.stderr)
    };
    let reserving = |args: &[&str]| {
        let run = folder.run(&[&["run", "inventory", "-b", "127.0.0.1:1", "--reservations"], args].concat());
        format!("{} {}", run.code, run.stderr)
    };
    let shown = [
        run(&["--settings", "unknown.yaml"]),
        run(&["--settings", "nowhere.yaml"]),
        run(&["--listen", "0.0.0.0:0"]),
        run(&["--listen", "here"]),
        run(&["--store", "mysql://x"]),
        run(&["--decline-rate", "2"]),
        run(&["--api-token-file", "empty-token"]),
        run(&["--catalog", "nowhere.yaml"]),
        run(&["--topology", "nowhere.yaml"]),
        run(&["--env", "moon"]),
        run(&["--reserve", "http", "--inventory", "there:8081"]),
        run(&["--reserve", "http", "--reserve-within", "soon"]),
        run(&["--reserve", "http", "--inventory-token-file", "empty-token"]),
        reserving(&["--listen", "0.0.0.0:0"]),
        reserving(&["--delay", "a while"]),
    ]
    .join("\n");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_topology_that_lies_there_is_not_used_by_itself_and_said_so() {
    let folder = Folder::new();
    folder.write("topology.yaml", "nonsense: true\n");
    let store = format!("sqlite:{}", folder.path().join("stores").display());
    let mut child = folder
        .start(&["run", "order", "-b", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--store", &store], &[]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("topology.yaml here")).expect("a line about it");
    assert!(line.contains("the topology that is part of kafkaflow is"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn many_idle_streams_cost_little_and_orders_go_on() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const STREAMS: usize = 10_000;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    // Some systems allow fewer, for this process and for the service.
    let most = limit.maximum.map_or(STREAMS, |most| usize::try_from(most).unwrap().saturating_sub(1000));
    let count = STREAMS.min(most);
    assert!(count >= 1000, "this test needs 2000 open files at least: ulimit -Hn");
    let system = System::new("streams", None);
    system.apply();
    let service = system.run("order", &[]);
    let id = service.place("PROD-101", 1);
    let address = service.url.trim_start_matches("http://").to_owned();
    let streams: Vec<TcpStream> = (0..count)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            write!(stream, "GET /orders/{id}/events HTTP/1.1\r\nhost: t\r\n\r\n").unwrap();
            stream
        })
        .collect();
    for mut stream in &streams {
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    }
    let open = format!("kafkaflow_http_connections {}", count + 1);
    eventually(Duration::from_secs(60), || service.text("/metrics").contains(&open).then_some(()));
    assert_eq!(service.post("/orders", &order("PROD-205", 1)).0, 202);
    drop(streams);
    eventually(SOON, || service.text("/metrics").contains("kafkaflow_http_connections 1\n").then_some(()));
}
