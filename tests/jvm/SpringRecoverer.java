import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.support.TopicPartitionOffset;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Lets Spring Kafka dead-letter every record of a topic.
 *
 * <p>Arguments: BROKERS GROUP TOPIC PARTITIONS COUNT LETTERS, the last being the dead-letter topic.
 */
public class SpringRecoverer {
    public static void main(String[] args) throws Exception {
        String brokers = args[0], group = args[1], topic = args[2], letters = args[5];
        int partitions = Integer.parseInt(args[3]);
        var awaited = new CountDownLatch(Integer.parseInt(args[4]));

        var producers = new DefaultKafkaProducerFactory<byte[], byte[]>(Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class,
                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class));
        var template = new KafkaTemplate<>(producers);
        int boxes = template.partitionsFor(letters).size();
        // All as it comes, but for the place: by default it is the same partition of `<topic>-dlt`.
        var recoverer = new DeadLetterPublishingRecoverer(
                template, (record, error) -> new TopicPartition(letters, record.partition() % boxes));

        // Told where to begin: the group may have committed offsets.
        var properties = new ContainerProperties(IntStream.range(0, partitions)
                .mapToObj(partition -> new TopicPartitionOffset(topic, partition, 0L))
                .toArray(TopicPartitionOffset[]::new));
        properties.setGroupId(group);
        properties.setMessageListener((MessageListener<byte[], byte[]>) record -> {
            throw new IllegalStateException("no such product");
        });
        var container = new KafkaMessageListenerContainer<>(
                new DefaultKafkaConsumerFactory<byte[], byte[]>(Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, brokers,
                        ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class,
                        ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class)),
                properties);
        container.setCommonErrorHandler(new DefaultErrorHandler((record, error) -> {
            recoverer.accept(record, error); // waits for the acknowledgement
            awaited.countDown();
        }, new FixedBackOff(0, 0)));
        container.start();
        boolean all = awaited.await(60, TimeUnit.SECONDS);
        container.stop();
        producers.destroy();
        if (!all) {
            throw new IllegalStateException(awaited.getCount() + " records were not dead-lettered");
        }
    }
}
