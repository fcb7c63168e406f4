import java.io.PrintStream;
import java.net.URI;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaAdmin.NewTopics;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/**
 * The order system of topology.yaml in one JVM, on Spring Boot, Spring Kafka and JdbcTemplate, as an experienced
 * developer writes a fast but ordinary one: every service has an inbox and an outbox, listeners take batches, and a
 * batch is one transaction of a few statements.
 *
 * <p>Arguments: BROKERS POSTGRES_URL PORT TOPIC_PREFIX. Its tables are made anew at each start; missing topics are made.
 * Prints {@code ready} when HTTP listens and every partition has its listener.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
@Import({Outbox.class, Inbox.class, OrderApi.class, OrderEvents.class, InventoryListener.class, OrderListener.class,
        NotificationListener.class})
public class SpringFlow {
    private static final int LISTENERS = 3; // threads of each group
    private static final int BATCH = 1000; // records of a poll, at most
    private static final int CONNECTIONS = 16; // to the database, for all
    private static final int REQUESTS = 32; // threads that serve HTTP; virtual ones where the JVM has them
    private static final String SCHEMA = "spring_flow";
    private static final PrintStream STDOUT = System.out;

    public static void main(String[] args) throws SQLException {
        System.setOut(System.err); // where Spring writes its log
        var database = URI.create(args[1]);
        String[] login = database.getUserInfo().split(":", 2);
        String url = "jdbc:postgresql://" + database.getAuthority().replaceFirst(".*@", "") + database.getPath()
                + "?currentSchema=" + SCHEMA;
        makeTables(url, login);
        String life = "-" + args[3] + System.currentTimeMillis();
        var application = new SpringApplication(SpringFlow.class);
        application.setDefaultProperties(settings(args[0], url, login, args[2], args[3], life));
        application.addInitializers(context -> passOver(args[0], args[3], life));
        application.run();
    }

    private static Map<String, Object> settings(
            String brokers, String url, String[] login, String port, String prefix, String life) {
        var settings = new HashMap<String, Object>(Map.of(
                "flow.prefix", prefix,
                "flow.life", life,
                "spring.main.banner-mode", "off",
                "spring.main.log-startup-info", false,
                "logging.level.root", "warn",
                "logging.level.org.springframework.boot.autoconfigure.AutoConfigurationPackages", "error",
                "spring.threads.virtual.enabled", true,
                "spring.lifecycle.timeout-per-shutdown-phase", "2s"));
        settings.putAll(Map.of(
                "server.port", port,
                "server.address", "127.0.0.1",
                "server.tomcat.threads.max", REQUESTS,
                "server.tomcat.threads.min-spare", REQUESTS,
                "server.tomcat.max-keep-alive-requests", -1,
                "server.tomcat.keep-alive-timeout", "60s",
                "spring.servlet.encoding.enabled", false, // nothing here needs these filters
                "spring.servlet.multipart.enabled", false,
                "spring.mvc.formcontent.filter.enabled", false));
        settings.putAll(Map.of(
                "spring.datasource.url", url,
                "spring.datasource.username", login[0],
                "spring.datasource.password", login[1],
                "spring.datasource.hikari.maximum-pool-size", CONNECTIONS,
                "spring.datasource.hikari.minimum-idle", CONNECTIONS));
        settings.putAll(Map.of(
                "spring.kafka.bootstrap-servers", brokers,
                "spring.kafka.admin.fail-fast", true,
                "spring.kafka.producer.acks", "all",
                "spring.kafka.producer.properties.enable.idempotence", true,
                "spring.kafka.producer.properties.linger.ms", 5, // the outbox flushes
                "spring.kafka.producer.value-serializer", ByteArraySerializer.class));
        settings.putAll(Map.of(
                "spring.kafka.listener.type", "batch",
                "spring.kafka.listener.concurrency", LISTENERS,
                "spring.kafka.consumer.max-poll-records", BATCH,
                "spring.kafka.consumer.auto-offset-reset", "earliest",
                "spring.kafka.consumer.enable-auto-commit", false,
                "spring.kafka.consumer.value-deserializer", ByteArrayDeserializer.class));
        return settings;
    }

    private static void makeTables(String url, String[] login) throws SQLException {
        try (var connection = DriverManager.getConnection(url, login[0], login[1]);
                var statement = connection.createStatement()) {
            statement.execute("SET client_min_messages = warning");
            statement.execute("DROP SCHEMA IF EXISTS " + SCHEMA + " CASCADE");
            statement.execute("CREATE SCHEMA " + SCHEMA);
            statement.execute(Outbox.TABLE + Inbox.TABLE + OrderApi.TABLE + InventoryListener.TABLES);
            for (var product : Catalogue.PRODUCTS.entrySet()) {
                statement.execute("INSERT INTO product (id, available) VALUES ('" + product.getKey() + "', "
                        + product.getValue().stock() + ")");
            }
        }
    }

    /** The new tables know nothing of what an earlier life left in the topics: new groups begin behind it. */
    private static void passOver(String brokers, String prefix, String life) {
        try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", brokers))) {
            var known = admin.listTopics().names().get();
            for (var reads : Topics.READ_BY.entrySet()) {
                String topic = prefix + reads.getKey();
                if (known.contains(topic)) {
                    var latest = new HashMap<TopicPartition, OffsetSpec>();
                    for (var partition : admin.describeTopics(Set.of(topic)).allTopicNames().get().get(topic).partitions()) {
                        latest.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest());
                    }
                    var ends = new HashMap<TopicPartition, OffsetAndMetadata>();
                    admin.listOffsets(latest).all().get()
                            .forEach((partition, end) -> ends.put(partition, new OffsetAndMetadata(end.offset())));
                    admin.alterConsumerGroupOffsets(reads.getValue() + life, ends).all().get();
                }
            }
        } catch (ExecutionException | InterruptedException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** As in topology.yaml; who cannot read a record puts it into the dead-letter topic of its source. */
    @Bean
    NewTopics topics(@Value("${flow.prefix}") String prefix) {
        return new NewTopics(
                topic(prefix + Topics.ORDER_PLACED, 12, 7),
                topic(prefix + Topics.INVENTORY_RESULT, 12, 7),
                topic(prefix + Topics.SEND_NOTIFICATION, 6, 3),
                topic(prefix + Topics.ORDER_PLACED + Topics.DEAD, 1, 30),
                topic(prefix + Topics.INVENTORY_RESULT + Topics.DEAD, 1, 30),
                topic(prefix + Topics.SEND_NOTIFICATION + Topics.DEAD, 1, 30));
    }

    private static NewTopic topic(String name, int partitions, long days) {
        return TopicBuilder.name(name).partitions(partitions).replicas(3)
                .config("min.insync.replicas", "2")
                .config("retention.ms", Long.toString(days * 24 * 60 * 60 * 1000))
                .build();
    }

    /** A batch that fails is tried again until it succeeds: nothing is skipped. */
    @Bean
    DefaultErrorHandler errorHandler() {
        return new DefaultErrorHandler(new FixedBackOff(200, FixedBackOff.UNLIMITED_ATTEMPTS));
    }

    @Bean
    ApplicationListener<ApplicationReadyEvent> ready(KafkaListenerEndpointRegistry listeners) {
        Map<String, Integer> partitions = Map.of("inventory", 12, "order", 12, "notification", 6);
        return event -> {
            for (var container : listeners.getListenerContainers()) {
                while (container.getAssignedPartitions().size() < partitions.get(container.getListenerId())) {
                    sleep();
                }
            }
            STDOUT.println("ready");
        };
    }

    private static void sleep() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }
}
