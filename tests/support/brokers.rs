//! The real brokers that `./dev test` started.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An endpoint by its variable; without brokers a test fails, it is never skipped.
pub(crate) fn endpoint(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run this by ./dev test, which starts what tests need")
    })
}

pub(crate) fn brokers() -> String {
    endpoint("KAFKAFLOW_TEST_BROKERS")
}

/// A name that begins every topic of one test, and that no other test or run has.
pub(crate) fn prefix(test: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    format!("t-{test}-{:x}{:02x}", since.as_micros(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Runs one of Apache Kafka's own tools: `tool(&["topics", "--list"])`. Fails with its output.
pub(crate) fn tool(args: &[&str]) -> String {
    dev(&on_the_cluster(&cluster(), args))
}

/// What `./dev` is told so that one of Apache Kafka's own tools has these arguments.
fn on_the_cluster<'a>(cluster: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    [&["kafka", "tool", "--cluster", cluster], args].concat()
}

/// The first records of a topic, as Apache Kafka's console consumer prints them; `more` says how.
pub(crate) fn consume(topic: &str, count: usize, more: &[&str]) -> String {
    let count = count.to_string();
    let first = ["console-consumer", "--topic", topic, "--from-beginning", "--max-messages", &count];
    tool(&[&first[..], &["--timeout-ms", "60000"], more].concat())
}

/// Creates a topic that no other test names. When the controller changes while it does so, the tool asks again, and what
/// the first request made stands already.
pub(crate) fn create_topic(topic: &str, partitions: i32, more: &[&str]) {
    let partitions = partitions.to_string();
    let create = ["topics", "--create", "--if-not-exists", "--topic", topic, "--replication-factor", "3"];
    tool(&[&create[..], &["--partitions", &partitions], more].concat());
}

/// Gives a topic so many partitions. A request that is repeated, as above, finds the topic with as many as it asks for.
pub(crate) fn grow_topic(topic: &str, partitions: i32) {
    let count = partitions.to_string();
    let alter = ["topics", "--alter", "--topic", topic, "--partitions", &count];
    let output = run_dev(&on_the_cluster(&cluster(), &alter));
    let said = text(&output.stdout) + &text(&output.stderr);
    let has_them = said.contains(&format!("already has {count} partition"));
    assert!(output.status.success() || has_them, "{topic} to {count} partitions: {said}");
}

/// The name of the brokers' cluster: benchmarks run tests on one of their own.
fn cluster() -> String {
    std::env::var("KAFKAFLOW_TEST_CLUSTER").unwrap_or_else(|_| "main".to_owned())
}

/// Runs `./dev` with these arguments. Fails with its output.
pub(crate) fn dev(args: &[&str]) -> String {
    let output = run_dev(args);
    assert!(output.status.success(), "./dev {args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn run_dev(args: &[&str]) -> Output {
    Command::new("./dev").args(args).current_dir(ROOT).output().expect("./dev starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Produces records by Apache's console producer, each line `name:value,…<tab>key<tab>value`: its headers, its key and
/// its value.
pub(crate) fn produce(topic: &str, lines: &[String]) {
    use std::io::Write;
    let reader = ["--reader-property", "parse.headers=true", "--reader-property", "parse.key=true"];
    let mut child = Command::new("./dev")
        .args(on_the_cluster(&cluster(), &["console-producer", "--topic", topic]))
        .args(reader)
        .current_dir(ROOT)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("./dev starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all((lines.join("\n") + "\n").as_bytes())
        .expect("the producer reads");
    assert!(child.wait().expect("the producer ends").success());
}

/// Asks until there is an answer. The only wait of the tests: it ends as soon as it can.
pub(crate) fn eventually<T>(deadline: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + deadline;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < until, "not within {deadline:?}");
        std::thread::yield_now();
    }
}
