import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Reads records, and knows which events a group has had. */
class Inbox {
    static final String TABLE = """
            CREATE TABLE inbox (consumer_group text, event_id text, PRIMARY KEY (consumer_group, event_id));
            """;
    private static final String CLAIM = """
            INSERT INTO inbox (consumer_group, event_id) SELECT ?, id FROM unnest(?::text[]) AS id
            ON CONFLICT DO NOTHING RETURNING event_id""";

    record Received<T>(String id, String type, T event) {}

    private final JdbcTemplate jdbc;
    private final JsonMapper json;
    private final DeadLetterPublishingRecoverer deadLetters;

    Inbox(JdbcTemplate jdbc, JsonMapper json, KafkaTemplate<?, ?> kafka) {
        this.jdbc = jdbc;
        this.json = json;
        deadLetters = new DeadLetterPublishingRecoverer(
                kafka, (record, why) -> new TopicPartition(record.topic() + Topics.DEAD, 0));
    }

    /** The batch's events; records that are none are dead-lettered. */
    <T> List<Received<T>> read(List<ConsumerRecord<String, byte[]>> batch, Class<T> type) {
        var received = new ArrayList<Received<T>>(batch.size());
        for (var record : batch) {
            try {
                received.add(new Received<>(
                        header(record, "eventId"), header(record, "eventType"), json.readValue(record.value(), type)));
            } catch (JacksonException | IllegalArgumentException unreadable) {
                deadLetters.accept(record, null, unreadable);
            }
        }
        return received;
    }

    /** Keeps the events' ids and leaves those that are new; part of the caller's transaction. */
    <T> List<Received<T>> claim(String group, List<Received<T>> received) {
        Set<String> fresh = new HashSet<>(received.size() * 2);
        String[] ids = received.stream().map(Received::id).toArray(String[]::new);
        jdbc.query(CLAIM, row -> {
            fresh.add(row.getString(1));
        }, group, ids);
        return received.stream().filter(one -> fresh.remove(one.id)).toList();
    }

    private static String header(ConsumerRecord<?, ?> record, String name) {
        var header = record.headers().lastHeader(name);
        if (header == null || header.value() == null) {
            throw new IllegalArgumentException("a record without the header " + name);
        }
        return new String(header.value(), StandardCharsets.UTF_8);
    }
}
