import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * A batch listener on Spring Kafka, as an experienced application writes one: three threads, records as bytes, and one
 * transaction a batch, in which one statement keeps all ids of the batch and tells which are new.
 *
 * <p>Arguments: BROKERS TOPIC COUNT empty|inbox [postgres://…]. The topic is read twice, by two groups; the second
 * reading, by when the JVM is warm, is measured from its first record to its last.
 */
public class SpringPeer {
    private static final int THREADS = 3;
    private static final String CLAIM = """
            INSERT INTO inbox (consumer_group, event_id) SELECT ?, id FROM unnest(?::text[]) AS id
            ON CONFLICT DO NOTHING RETURNING event_id""";

    public static void main(String[] args) throws Exception {
        String brokers = args[0], topic = args[1], mode = args[3];
        long count = Long.parseLong(args[2]);
        Listener handler = batch -> batch.size();
        HikariDataSource pool = null;
        JdbcTemplate jdbc = null;
        String schema = "spring_" + System.currentTimeMillis();
        if (mode.equals("inbox")) {
            pool = connect(args[4], schema);
            jdbc = new JdbcTemplate(pool);
            jdbc.execute("CREATE SCHEMA " + schema);
            jdbc.execute("""
                    CREATE TABLE inbox (
                        consumer_group varchar(255), event_id varchar(1024), PRIMARY KEY (consumer_group, event_id))""");
        }
        for (String turn : List.of("warm", "measured")) {
            String group = "spring-" + turn + "-" + System.currentTimeMillis();
            if (pool != null) {
                jdbc.execute("TRUNCATE inbox");
                handler = new Inbox(jdbc, new TransactionTemplate(new DataSourceTransactionManager(pool)), group);
            }
            double perSecond = read(brokers, topic, group, count, handler);
            if (turn.equals("measured")) {
                System.out.printf("{\"what\": \"spring\", \"mode\": \"%s\", \"per_second\": %.0f}%n", mode, perSecond);
            }
        }
        if (pool != null) {
            jdbc.execute("DROP SCHEMA " + schema + " CASCADE");
            pool.close();
        }
    }

    /** Handles a batch; how many of its records were not known before. */
    interface Listener {
        int handle(List<ConsumerRecord<byte[], byte[]>> batch);
    }

    /** Keeps the batch's ids, in one transaction with what a service would do for those that are new. */
    record Inbox(JdbcTemplate jdbc, TransactionTemplate transaction, String group) implements Listener {
        @Override
        public int handle(List<ConsumerRecord<byte[], byte[]>> batch) {
            Set<String> ids = new LinkedHashSet<>(batch.size() * 2);
            for (var record : batch) {
                ids.add(new String(record.headers().lastHeader("eventId").value(), StandardCharsets.UTF_8));
            }
            String[] asked = ids.toArray(String[]::new);
            return transaction.execute(status -> {
                Set<String> fresh = new HashSet<>(asked.length * 2);
                jdbc.query(CLAIM, row -> {
                    fresh.add(row.getString(1));
                }, group, asked);
                int handled = 0;
                for (String id : asked) {
                    if (fresh.contains(id)) {
                        handled++;
                    }
                }
                return handled;
            });
        }
    }

    private static double read(String brokers, String topic, String group, long count, Listener handler) throws Exception {
        var seen = new AtomicLong();
        var began = new AtomicLong();
        var all = new CountDownLatch(1);
        var properties = new ContainerProperties(topic);
        properties.setGroupId(group);
        properties.setAckMode(ContainerProperties.AckMode.BATCH);
        properties.setMessageListener((BatchMessageListener<byte[], byte[]>) batch -> {
            began.compareAndSet(0, System.nanoTime());
            if (seen.addAndGet(handler.handle(batch)) >= count) {
                all.countDown();
            }
        });
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 2000,
                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class,
                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        var container = new ConcurrentMessageListenerContainer<byte[], byte[]>(new DefaultKafkaConsumerFactory<>(config), properties);
        container.setConcurrency(THREADS);
        container.start();
        if (!all.await(5, TimeUnit.MINUTES)) {
            throw new IllegalStateException(seen.get() + " of " + count + " records were read");
        }
        double seconds = (System.nanoTime() - began.get()) / 1e9;
        container.stop();
        return count / seconds;
    }

    private static HikariDataSource connect(String address, String schema) {
        var uri = URI.create(address);
        String[] login = uri.getUserInfo().split(":", 2);
        var config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath() + "?currentSchema=" + schema);
        config.setUsername(login[0]);
        config.setPassword(login[1]);
        config.setMaximumPoolSize(THREADS + 1);
        config.addDataSourceProperty("reWriteBatchedInserts", "true");
        return new HikariDataSource(config);
    }
}
