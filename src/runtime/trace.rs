//! Spans of what a service does, sent to an OpenTelemetry collector. Off unless one is named: then a trace is handed
//! on from request to outbox, record and handler as it came.
//!
//! Names are those of OpenTelemetry's semantic conventions for messaging
//! (<https://opentelemetry.io/docs/specs/semconv/messaging/kafka/>), which are not final; they stand here alone.

use opentelemetry::trace::{Span as _, SpanBuilder};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::handler::BatchOutcome;
use crate::messaging::{Acknowledged, Header, Outgoing, PublishError, Record, TRACEPARENT, TraceContext};

/// Makes spans, or none. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tracing(Option<Sender>);

#[derive(Clone, Debug)]
struct Sender {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

/// Why no spans can be sent.
#[derive(Debug, thiserror::Error)]
#[error("OpenTelemetry: {0}")]
pub struct TracingError(String);

impl Tracing {
    /// Sends the spans of `service` by OTLP over HTTP, as OpenTelemetry's own environment variables say
    /// (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and theirs). Sending goes on in a
    /// thread of its own; what cannot be sent is dropped after a bounded queue, and nobody waits for it.
    pub fn by_otlp(service: &str) -> Result<Self, TracingError> {
        // For collectors behind TLS. A provider that is there already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exporter =
            SpanExporter::builder().with_http().build().map_err(|error| TracingError(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name(service.to_owned()).build())
            .build();
        Ok(Self::by(provider))
    }

    fn by(provider: SdkTracerProvider) -> Self {
        Self(Some(Sender { tracer: provider.tracer("kafkaflow"), provider }))
    }

    /// Sends what is left. May wait for the collector, some seconds at most.
    pub fn shut_down(&self) {
        if let Some(sender) = &self.0
            && let Err(error) = sender.provider.shutdown()
        {
            tracing::warn!("OpenTelemetry: the last spans were not sent: {error}");
        }
    }

    fn begin(&self, kind: SpanKind, name: String, parent: Option<TraceContext>) -> Option<Span> {
        let tracer = &self.0.as_ref()?.tracer;
        let parent = parent.map_or_else(Context::new, |parent| {
            let flags = if parent.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
            Context::new().with_remote_span_context(SpanContext::new(
                TraceId::from(parent.trace),
                SpanId::from(parent.span),
                flags,
                true,
                TraceState::default(),
            ))
        });
        let builder = SpanBuilder::from_name(name).with_kind(kind);
        Some(Span(tracer.build_with_context(builder, &parent)))
    }

    /// A request that is served. `route` is the path's pattern, such as `/orders/{id}`.
    pub(crate) fn request(&self, method: &str, route: &str, caller: Option<TraceContext>) -> Option<Span> {
        let mut span = self.begin(SpanKind::Server, format!("{method} {route}"), caller)?;
        span.0.set_attribute(KeyValue::new("http.request.method", method.to_owned()));
        span.0.set_attribute(KeyValue::new("http.route", route.to_owned()));
        Some(span)
    }

    /// A record that a producer is handed, caused by `cause`; from now on whoever reads it belongs to this span.
    pub(super) fn sending(&self, record: &mut Outgoing, cause: Option<&str>) -> Option<Sending> {
        let cause = cause.and_then(|cause| cause.parse().ok());
        let mut span = self.begin(SpanKind::Producer, format!("send {}", record.topic), cause)?;
        span.0.set_attributes(of_topic("send", &record.topic));
        let header = Header::new(TRACEPARENT, span.context().to_string());
        match record.headers.iter_mut().find(|header| header.name == TRACEPARENT) {
            Some(before) => *before = header,
            None => record.headers.push(header),
        }
        Some(Sending(Box::new(span)))
    }

    /// One span for each record of a batch, in which the record counts as handled from now on.
    pub(super) fn processing(&self, group: &str, batch: &mut [Record]) -> Processing {
        if self.0.is_none() {
            return Processing(Vec::new());
        }
        let begin = |record: &mut Record| {
            let name = format!("process {}", record.topic());
            let mut span = self.begin(SpanKind::Consumer, name, record.cause())?;
            span.0.set_attributes(of_topic("process", record.topic()));
            span.0.set_attributes(of_place(record.partition(), record.offset()));
            span.0.set_attribute(KeyValue::new("messaging.consumer.group.name", group.to_owned()));
            record.handled_in(span.context());
            Some(span)
        };
        Processing(batch.iter_mut().filter_map(begin).collect())
    }
}

fn of_topic(operation: &'static str, topic: &str) -> [KeyValue; 4] {
    [
        KeyValue::new("messaging.system", "kafka"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.operation.type", operation),
        KeyValue::new("messaging.destination.name", topic.to_owned()),
    ]
}

fn of_place(partition: i32, offset: i64) -> [KeyValue; 2] {
    [
        KeyValue::new("messaging.destination.partition.id", partition.to_string()),
        KeyValue::new("messaging.kafka.offset", offset),
    ]
}

/// Something under way. Dropped, it has ended.
#[derive(Debug)]
pub(crate) struct Span(opentelemetry_sdk::trace::Span);

impl Span {
    pub(crate) fn context(&self) -> TraceContext {
        let context = self.0.span_context();
        TraceContext {
            trace: u128::from_be_bytes(context.trace_id().to_bytes()),
            span: u64::from_be_bytes(context.span_id().to_bytes()),
            sampled: context.is_sampled(),
        }
    }

    /// What was answered; from 500 on the request counts as failed.
    pub(crate) fn answered(mut self, status: u16) {
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 500 {
            self.0.set_status(Status::error(format!("HTTP {status}")));
        }
    }
}

/// The span of a record that no broker has acknowledged yet.
#[derive(Debug)]
pub(super) struct Sending(Box<Span>);

impl Sending {
    /// Ends it: with the record's place, or with why it has none.
    pub(super) fn ended(mut self, result: &Result<Acknowledged, PublishError>) {
        match result {
            Ok(Acknowledged { partition, offset }) => self.0.0.set_attributes(of_place(*partition, *offset)),
            Err(error) => self.0.0.set_status(Status::error(error.to_string())),
        }
    }
}

/// The spans of a batch.
#[derive(Debug)]
pub(super) struct Processing(Vec<Span>);

impl Processing {
    /// Ends them; what failed says why.
    pub(super) fn ended(mut self, outcome: &BatchOutcome) {
        match outcome {
            BatchOutcome::Done => {}
            BatchOutcome::Poisoned(poisoned) => {
                for (at, error) in poisoned {
                    if let Some(span) = self.0.get_mut(*at) {
                        span.0.set_status(Status::error(error.to_string()));
                    }
                }
            }
            BatchOutcome::Failed(error) => {
                for span in &mut self.0 {
                    span.0.set_status(Status::error(error.to_string()));
                }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use opentelemetry_sdk::trace::InMemorySpanExporter;

    use super::{SdkTracerProvider, Tracing};

    /// Keeps spans instead of sending them.
    pub(crate) fn kept() -> (Tracing, InMemorySpanExporter) {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        (Tracing::by(provider), exporter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::handler::HandleError;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn batch() -> [Record; 2] {
        let headers = [(TRACEPARENT, Some(HEADER.as_bytes()))];
        let traced = Record::at("orders", 3, 7).holding(Some(b"k"), None, headers.into_iter());
        [traced, Record::at("orders", 3, 8)]
    }

    #[test]
    fn without_a_collector_a_trace_is_handed_on_as_it_came() {
        let mut batch = batch();
        let processing = Tracing::default().processing("group", &mut batch);
        assert_eq!(batch.map(|record| record.traceparent()), [Some(HEADER.to_owned()), None]);
        processing.ended(&BatchOutcome::Done);
    }

    #[test]
    fn a_record_is_handled_in_a_span_of_its_trace_or_in_a_new_one() {
        let (tracing, exporter) = testing::kept();
        let mut batch = batch();
        let processing = tracing.processing("group", &mut batch);
        processing.ended(&BatchOutcome::Poisoned(vec![(1, HandleError::poison("no such product"))]));
        let spans = exporter.get_finished_spans().unwrap();
        let header: TraceContext = HEADER.parse().unwrap();
        let traces = batch.each_ref().map(|record| record.trace().unwrap());
        assert_eq!(traces[0].trace, header.trace);
        assert_ne!(traces[0].span, header.span);
        assert_ne!(traces[1].trace, header.trace);
        for (span, trace) in spans.iter().zip(traces) {
            assert_eq!(span.name, "process orders");
            assert_eq!(span.span_context.span_id(), SpanId::from(trace.span));
        }
        assert_eq!(spans[0].parent_span_id, SpanId::from(header.span));
        assert_eq!(spans[0].status, Status::Unset);
        assert_eq!(spans[1].status, Status::error("no such product"));
    }

    #[test]
    fn a_record_is_sent_in_a_span_of_its_trace_and_tells_its_reader_so() {
        let (tracing, exporter) = testing::kept();
        let mut record = Outgoing {
            topic: "orders".to_owned(),
            partition: None,
            key: None,
            value: None,
            headers: vec![Header::new(TRACEPARENT, HEADER), Header::new("content-type", "application/json")],
            timestamp: None,
        };
        let sending = tracing.sending(&mut record, Some(HEADER)).unwrap();
        sending.ended(&Ok(Acknowledged { partition: 3, offset: 7 }));
        let fails = tracing.sending(&mut record, None).unwrap();
        fails.ended(&Err(PublishError::Refused("too large".to_owned())));
        let spans = exporter.get_finished_spans().unwrap();
        assert_eq!(spans[0].name, "send orders");
        assert_eq!(spans[0].span_kind, SpanKind::Producer);
        assert_eq!(spans[0].parent_span_id.to_string(), "00f067aa0ba902b7");
        assert!(spans[0].attributes.contains(&KeyValue::new("messaging.kafka.offset", 7)));
        assert_eq!(spans[1].parent_span_id, SpanId::INVALID);
        assert_eq!(spans[1].status, Status::error("too large"));
        // The last span that it was sent in, where the header stood before.
        let told = std::str::from_utf8(record.headers[0].value.as_deref().unwrap()).unwrap();
        let told: TraceContext = told.parse().unwrap();
        assert_eq!(SpanId::from(told.span), spans[1].span_context.span_id());
        assert_eq!(record.headers.len(), 2);
        let before = record.headers.clone();
        assert!(Tracing::default().sending(&mut record, Some(HEADER)).is_none());
        assert_eq!(record.headers, before);
    }

    #[test]
    fn an_unsampled_trace_stays_unsampled() {
        let (tracing, exporter) = testing::kept();
        let caller = TraceContext { sampled: false, ..HEADER.parse().unwrap() };
        let span = tracing.request("POST", "/orders", Some(caller)).unwrap();
        assert_eq!((span.context().trace, span.context().sampled), (caller.trace, false));
        span.answered(202);
        assert!(exporter.get_finished_spans().unwrap().is_empty());
    }
}
