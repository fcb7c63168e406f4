//! What a service measures, as Prometheus reads it. Names and meanings stand here; a value that is unknown is omitted.

use std::time::Duration;

use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

const SUM_UP: Duration = Duration::from_secs(5);
/// Seconds, from half a millisecond to half a minute.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
const RECORDS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Seconds,
    Records,
}

/// Every metric: name, kind, what it says.
const METRICS: &[(&str, Kind, &str)] = &[
    (
        "kafkaflow_consumer_records_total",
        Kind::Counter,
        "Records by what became of them: finished (all of them, the next four included), handled, duplicates, skipped, dead_lettered; retried: attempts that failed",
    ),
    (
        "kafkaflow_consumer_deleted_unread_records_total",
        Kind::Counter,
        "Records that a topic's retention deleted before the group read them",
    ),
    (
        "kafkaflow_consumer_handler_seconds",
        Kind::Seconds,
        "How long the handler took for a batch, or for a record that was handled alone",
    ),
    ("kafkaflow_consumer_batch_records", Kind::Records, "Records of a batch that reached the handler"),
    (
        "kafkaflow_consumer_breaker_open",
        Kind::Gauge,
        "1 while so many records fail that none is dead-lettered, else 0",
    ),
    ("kafkaflow_consumer_partitions", Kind::Gauge, "Partitions that this member of the group has"),
    (
        "kafkaflow_inbox_rows",
        Kind::Gauge,
        "Event ids that the inbox remembers (PostgreSQL: as its statistics have it)",
    ),
    (
        "kafkaflow_outbox_pending_rows",
        Kind::Gauge,
        "Outbox rows that wait to be published, counted up to 1000000",
    ),
    ("kafkaflow_outbox_dead_rows", Kind::Gauge, "Outbox rows that no broker takes"),
    (
        "kafkaflow_outbox_oldest_pending_age_seconds",
        Kind::Gauge,
        "How long the oldest row that waits has waited; 0: none waits",
    ),
    ("kafkaflow_relay_published_total", Kind::Counter, "Outbox rows that were published and acknowledged"),
    (
        "kafkaflow_relay_dead_total",
        Kind::Counter,
        "Outbox rows that were given up since no broker takes them",
    ),
    (
        "kafkaflow_relay_unacknowledged_total",
        Kind::Counter,
        "How often an outbox row stayed waiting because no broker acknowledged it",
    ),
    (
        "kafkaflow_relay_in_flight_rows",
        Kind::Gauge,
        "Outbox rows that the producer has and nobody acknowledged yet",
    ),
    (
        "kafkaflow_notifications_total",
        Kind::Counter,
        "Notifications that a provider was given, by its answer: sent, refused (for good), failed (tried again), away (it takes nothing at present), locked (it refuses us)",
    ),
    ("kafkaflow_notification_call_seconds", Kind::Seconds, "How long a provider took for a call"),
    (
        "kafkaflow_http_requests_total",
        Kind::Counter,
        "HTTP requests that were answered, by method, route and status",
    ),
    ("kafkaflow_http_request_seconds", Kind::Seconds, "From a request's head to its answer's head, by route"),
    ("kafkaflow_http_connections", Kind::Gauge, "Open HTTP connections"),
    (
        "kafkaflow_http_refused_connections_total",
        Kind::Counter,
        "Connections that were refused since too many are open",
    ),
];

/// Renders what was measured. Clones share it.
#[derive(Clone)]
pub struct Measured(PrometheusHandle);

impl Measured {
    /// Sums up what was measured, time and again until `ending` completes: before it is summed up each measured value
    /// is kept by itself, and whoever reads them may never come.
    pub(crate) async fn sum_up(self, ending: impl Future<Output = ()>) {
        let mut ending = std::pin::pin!(ending);
        let mut turn = tokio::time::interval(SUM_UP);
        loop {
            tokio::select! {
                () = &mut ending => return,
                _ = turn.tick() => self.0.run_upkeep(),
            }
        }
    }

    /// In Prometheus' text format, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Measures from now on, for the whole process; `None`: somebody else in the process does.
#[must_use]
pub fn measure() -> Option<Measured> {
    let handle = builder()?.install_recorder().ok()?;
    describe();
    Some(Measured(handle))
}

fn builder() -> Option<PrometheusBuilder> {
    METRICS.iter().try_fold(PrometheusBuilder::new(), |builder, (name, kind, _)| {
        let buckets = match kind {
            Kind::Counter | Kind::Gauge => return Some(builder),
            Kind::Seconds => SECONDS,
            Kind::Records => RECORDS,
        };
        builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets).ok()
    })
}

fn describe() {
    for (name, kind, text) in METRICS {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *text),
            Kind::Gauge => metrics::describe_gauge!(*name, *text),
            Kind::Seconds => metrics::describe_histogram!(*name, Unit::Seconds, *text),
            Kind::Records => metrics::describe_histogram!(*name, *text),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Names that stand in the code between `metrics::…!(` and the next quotation mark.
    fn used(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                used(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for kind in ["counter!(", "gauge!(", "histogram!("] {
                    for after in text.split(&format!("metrics::{kind}")).skip(1) {
                        let name =
                            after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                        names.extend(name.map(ToOwned::to_owned));
                    }
                }
            }
        }
    }

    #[test]
    fn every_metric_is_described_and_every_description_has_its_metric() {
        let mut names = BTreeSet::new();
        used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
        let described: BTreeSet<String> = METRICS.iter().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(names, described);
    }

    #[test]
    fn what_is_measured_is_rendered_as_prometheus_reads_it() {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::gauge!("kafkaflow_outbox_dead_rows", "service" => "order").set(2.0);
            metrics::histogram!("kafkaflow_http_request_seconds", "route" => "/orders").record(0.004);
        });
        let text = Measured(handle).render();
        assert!(text.contains("# TYPE kafkaflow_outbox_dead_rows gauge\n"), "{text}");
        assert!(text.contains("kafkaflow_outbox_dead_rows{service=\"order\"} 2\n"), "{text}");
        assert!(
            text.contains("kafkaflow_http_request_seconds_bucket{route=\"/orders\",le=\"0.005\"} 1\n"),
            "{text}"
        );
        assert!(!text.contains("NaN"), "{text}");
    }
}
