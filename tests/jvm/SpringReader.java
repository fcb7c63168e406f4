import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.EnableKafka;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.util.backoff.FixedBackOff;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads dead letters as an application on Spring Kafka does, and prints what its listener was handed: a JSON line each.
 *
 * <p>Arguments: BROKERS COUNT TOPIC…
 */
@Configuration(proxyBeanMethods = false)
@EnableKafka
public class SpringReader {
    static String brokers;
    static CountDownLatch awaited;

    public static void main(String[] args) throws Exception {
        brokers = args[0];
        awaited = new CountDownLatch(Integer.parseInt(args[1]));
        System.setProperty("topics", String.join(",", List.of(args).subList(2, args.length)));
        try (var context = new AnnotationConfigApplicationContext(SpringReader.class)) {
            if (!awaited.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException(awaited.getCount() + " records were not read");
            }
        }
    }

    @Bean
    ConcurrentKafkaListenerContainerFactory<byte[], byte[]> kafkaListenerContainerFactory() {
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                ConsumerConfig.GROUP_ID_CONFIG, "t-spring-reader-" + UUID.randomUUID(),
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class,
                ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        var factory = new ConcurrentKafkaListenerContainerFactory<byte[], byte[]>();
        factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(config));
        // A header that is missing, or of another length than its type, is an error of the listener's arguments.
        factory.setCommonErrorHandler(new DefaultErrorHandler((record, error) -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        }, new FixedBackOff(0, 0)));
        return factory;
    }

    @KafkaListener(topics = "#{systemProperties['topics'].split(',')}")
    void read(
            ConsumerRecord<byte[], byte[]> record,
            @Header(KafkaHeaders.DLT_ORIGINAL_TOPIC) String topic,
            @Header(KafkaHeaders.DLT_ORIGINAL_PARTITION) int partition,
            @Header(KafkaHeaders.DLT_ORIGINAL_OFFSET) long offset,
            @Header(KafkaHeaders.DLT_ORIGINAL_TIMESTAMP) long timestamp,
            @Header(KafkaHeaders.DLT_ORIGINAL_TIMESTAMP_TYPE) String type,
            @Header(KafkaHeaders.DLT_ORIGINAL_CONSUMER_GROUP) String group,
            @Header(KafkaHeaders.DLT_EXCEPTION_FQCN) String fqcn,
            @Header(KafkaHeaders.DLT_EXCEPTION_MESSAGE) String message,
            @Header(KafkaHeaders.DLT_EXCEPTION_STACKTRACE) String trace) {
        var line = new LinkedHashMap<String, Object>();
        line.put("letter", record.topic());
        line.put("topic", topic);
        line.put("partition", partition);
        line.put("offset", offset);
        line.put("timestamp", timestamp);
        line.put("timestampType", type);
        line.put("group", group);
        line.put("fqcn", fqcn);
        line.put("message", message);
        line.put("stacktrace", trace);
        line.put("key", base64(record.key()));
        line.put("value", base64(record.value()));
        var headers = new ArrayList<List<String>>();
        for (var header : record.headers()) {
            if (!header.key().startsWith("kafka_dlt-")) {
                var pair = new ArrayList<String>();
                pair.add(header.key());
                pair.add(base64(header.value()));
                headers.add(pair);
            }
        }
        line.put("headers", headers);
        System.out.println(JsonMapper.shared().writeValueAsString(line));
        awaited.countDown();
    }

    private static String base64(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }
}
