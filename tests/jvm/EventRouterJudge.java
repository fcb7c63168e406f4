import io.debezium.data.Envelope;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.Converter;
import org.apache.kafka.connect.storage.HeaderConverter;
import org.apache.kafka.connect.transforms.Transformation;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * Prints the records that Kafka Connect would publish for rows of the outbox, a JSON line each.
 *
 * <p>Standard input: the connector's settings as one line of JSON, then the rows, one a line. A row becomes the change
 * event that Debezium's connector for PostgreSQL makes of its insertion; transformations and converters are those that
 * the settings name. The connector itself is not here.
 */
public class EventRouterJudge {
    private static final Schema ROW = SchemaBuilder.struct()
            .name("kafkaflow.outbox.Value")
            .field("seq", Schema.INT64_SCHEMA)
            .field("id", Schema.STRING_SCHEMA)
            .field("aggregatetype", Schema.STRING_SCHEMA)
            .field("aggregateid", Schema.STRING_SCHEMA)
            .field("type", Schema.STRING_SCHEMA)
            .field("payload", Schema.STRING_SCHEMA)
            .field("topic", Schema.STRING_SCHEMA)
            .field("traceparent", Schema.OPTIONAL_STRING_SCHEMA)
            .field("created_at", Schema.INT64_SCHEMA)
            .build();
    private static final Schema KEY =
            SchemaBuilder.struct().name("kafkaflow.outbox.Key").field("seq", Schema.INT64_SCHEMA).build();
    private static final Schema SOURCE = SchemaBuilder.struct()
            .name("io.debezium.connector.postgresql.Source")
            .field("version", Schema.STRING_SCHEMA)
            .field("connector", Schema.STRING_SCHEMA)
            .field("name", Schema.STRING_SCHEMA)
            .field("ts_ms", Schema.INT64_SCHEMA)
            .field("db", Schema.STRING_SCHEMA)
            .field("schema", Schema.STRING_SCHEMA)
            .field("table", Schema.STRING_SCHEMA)
            .build();
    private static final Envelope ENVELOPE = Envelope.defineSchema()
            .withName(Envelope.schemaName("kafkaflow.outbox"))
            .withRecord(ROW)
            .withSource(SOURCE)
            .build();

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        var json = JsonMapper.shared();
        Map<String, String> settings = json.readValue(in.readLine(), new TypeReference<>() {});
        var connect = new Connect(settings);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> row = json.readValue(line, new TypeReference<>() {});
            out.println(json.writeValueAsString(connect.published(inserted(row))));
        }
        out.flush();
    }

    private static SourceRecord inserted(Map<String, Object> columns) {
        var row = new Struct(ROW);
        columns.forEach((column, value) ->
                row.put(column, value instanceof Number number ? (Object) number.longValue() : value));
        var now = Instant.now();
        var source = new Struct(SOURCE)
                .put("version", "0")
                .put("connector", "postgresql")
                .put("name", "kafkaflow")
                .put("ts_ms", now.toEpochMilli())
                .put("db", "orders")
                .put("schema", "order-service")
                .put("table", "outbox");
        return new SourceRecord(
                Map.of(), Map.of(), "kafkaflow.outbox", null,
                KEY, new Struct(KEY).put("seq", row.get("seq")),
                ENVELOPE.schema(), ENVELOPE.create(row, source, now));
    }

    /** What a worker of Kafka Connect does with a connector's records before it hands them to its producer. */
    private static class Connect {
        private final List<Transformation<SourceRecord>> transformations = new ArrayList<>();
        private final Converter key;
        private final Converter value;
        private final HeaderConverter header;

        Connect(Map<String, String> settings) throws Exception {
            for (String name : settings.get("transforms").split(",")) {
                var own = under("transforms." + name + ".", settings);
                Transformation<SourceRecord> transformation = made(own.remove("type"));
                transformation.configure(own);
                transformations.add(transformation);
            }
            key = made(settings.get("key.converter"));
            key.configure(under("key.converter.", settings), true);
            value = made(settings.get("value.converter"));
            value.configure(under("value.converter.", settings), false);
            header = made(settings.get("header.converter"));
            var own = under("header.converter.", settings);
            own.put("converter.type", "header");
            header.configure(own);
        }

        Map<String, Object> published(SourceRecord record) {
            for (var transformation : transformations) {
                record = transformation.apply(record);
            }
            var line = new LinkedHashMap<String, Object>();
            line.put("topic", record.topic());
            line.put("partition", record.kafkaPartition());
            line.put("key", text(key.fromConnectData(record.topic(), record.keySchema(), record.key())));
            line.put("value", text(value.fromConnectData(record.topic(), record.valueSchema(), record.value())));
            var headers = new ArrayList<List<String>>();
            for (var one : record.headers()) {
                var pair = new ArrayList<String>();
                pair.add(one.key());
                pair.add(text(header.fromConnectHeader(record.topic(), one.key(), one.schema(), one.value())));
                headers.add(pair);
            }
            line.put("headers", headers);
            return line;
        }

        @SuppressWarnings("unchecked")
        private static <T> T made(String name) throws Exception {
            return (T) Class.forName(name).getDeclaredConstructor().newInstance();
        }

        private static Map<String, String> under(String prefix, Map<String, String> settings) {
            var found = new TreeMap<String, String>();
            settings.forEach((name, setting) -> {
                if (name.startsWith(prefix)) {
                    found.put(name.substring(prefix.length()), setting);
                }
            });
            return found;
        }

        private static String text(byte[] bytes) {
            return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
