import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.SendResult;
import tools.jackson.databind.json.JsonMapper;

/**
 * Events are written with what they tell of, in one transaction; one thread publishes them in their order and deletes
 * them once the brokers have them. What is published twice, since the JVM ended in between, is known by its id.
 */
class Outbox implements SmartLifecycle {
    static final String TABLE = """
            CREATE TABLE outbox (
                seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL, event_type text NOT NULL,
                topic text NOT NULL, key text NOT NULL, payload text NOT NULL
            ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
                autovacuum_vacuum_cost_delay = 0);
            """;
    static final String INSERT_ONE = "INSERT INTO outbox (event_id, event_type, topic, key, payload) VALUES (?, ?, ?, ?, ?)";
    private static final String INSERT = """
            INSERT INTO outbox (event_id, event_type, topic, key, payload)
            SELECT id, type, ?, key, payload
            FROM unnest(?::text[], ?::text[], ?::text[], ?::text[]) AS t (id, type, key, payload)""";
    private static final String READ = """
            SELECT seq, event_id, event_type, topic, key, payload FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?""";
    private static final String PUBLISHED = "DELETE FROM outbox WHERE seq = ANY (?)";
    private static final int BATCH = 1000;
    private static final long POLL_MS = 50;
    private static final long LINGER_MS = 5; // gathers events: a round costs the brokers much the same for one or many
    private static final long SWEEP_NS = TimeUnit.SECONDS.toNanos(1);
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    private final JdbcTemplate jdbc;
    private final KafkaTemplate<String, byte[]> kafka;
    private final JsonMapper json;
    private final String prefix;
    private final Semaphore written = new Semaphore(0);
    private volatile Thread relay;
    private long highest; // of all that were published
    private long mark; // the highest of the last sweep
    private long floor; // the one before: only a transaction that took longer than a second is below
    private long swept = System.nanoTime();

    Outbox(JdbcTemplate jdbc, KafkaTemplate<String, byte[]> kafka, JsonMapper json, @Value("${flow.prefix}") String prefix) {
        this.jdbc = jdbc;
        this.kafka = kafka;
        this.json = json;
        this.prefix = prefix;
    }

    /** The values of {@link #INSERT_ONE}. */
    Object[] row(String topic, Events.Event event) {
        return new Object[] {
                event.eventId(), event.eventType(), prefix + topic, event.orderId(), json.writeValueAsString(event)};
    }

    /** Part of the caller's transaction, after which he wakes the relay. */
    void add(String topic, List<? extends Events.Event> events) {
        int count = events.size();
        String[] ids = new String[count], types = new String[count];
        String[] keys = new String[count], payloads = new String[count];
        for (int i = 0; i < count; i++) {
            var event = events.get(i);
            ids[i] = event.eventId();
            types[i] = event.eventType();
            keys[i] = event.orderId();
            payloads[i] = json.writeValueAsString(event);
        }
        jdbc.update(INSERT, prefix + topic, ids, types, keys, payloads);
    }

    void wake() {
        written.release();
    }

    private record Row(long seq, ProducerRecord<String, byte[]> event) {}

    private void run() {
        while (relay == Thread.currentThread()) {
            try {
                if (publish() < BATCH) {
                    written.tryAcquire(POLL_MS, TimeUnit.MILLISECONDS);
                    Thread.sleep(LINGER_MS);
                    written.drainPermits();
                }
            } catch (InterruptedException stopped) {
                return;
            } catch (RuntimeException failed) {
                LOG.warn("events wait in the outbox", failed);
            }
        }
    }

    private int publish() {
        var rows = jdbc.query(READ, (row, number) -> {
            var event = new ProducerRecord<>(row.getString(4), row.getString(5), row.getBytes(6));
            event.headers().add("eventId", row.getBytes(2)).add("eventType", row.getBytes(3));
            return new Row(row.getLong(1), event);
        }, from(), BATCH);
        if (rows.isEmpty()) {
            return 0;
        }
        var sent = new ArrayList<CompletableFuture<SendResult<String, byte[]>>>(rows.size());
        for (var row : rows) {
            sent.add(kafka.send(row.event));
        }
        kafka.flush();
        long[] published = new long[rows.size()];
        for (int i = 0; i < published.length; i++) {
            sent.get(i).join();
            published[i] = rows.get(i).seq;
        }
        jdbc.update(PUBLISHED, published);
        highest = Math.max(highest, published[published.length - 1]);
        return published.length;
    }

    /** Deleted rows stay in the index until they are vacuumed; only a sweep walks over all of them. */
    private long from() {
        if (System.nanoTime() - swept < SWEEP_NS) {
            return floor;
        }
        swept = System.nanoTime();
        floor = mark;
        mark = highest;
        return 0;
    }

    @Override
    public void start() {
        relay = new Thread(this::run, "outbox");
        relay.start();
    }

    @Override
    public void stop() {
        var stopping = relay;
        relay = null;
        try {
            stopping.join(2000);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return relay != null;
    }

    /** Begins before those who write, and ends after them. */
    @Override
    public int getPhase() {
        return 0;
    }
}
