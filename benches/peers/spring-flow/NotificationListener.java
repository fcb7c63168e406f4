import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.kafka.annotation.KafkaListener;

/** Takes letters to customers, and drops them: only their number is known. */
class NotificationListener {

    record Letter(String to, String template) {}

    private final Inbox inbox;
    private final LongAdder letters = new LongAdder();

    NotificationListener(Inbox inbox) {
        this.inbox = inbox;
    }

    @KafkaListener(id = "notification", groupId = Topics.NOTIFICATION + "${flow.life}",
            topics = "${flow.prefix}" + Topics.SEND_NOTIFICATION)
    void send(List<ConsumerRecord<String, byte[]>> batch) {
        letters.add(inbox.claim(Topics.NOTIFICATION, inbox.read(batch, Letter.class)).size());
    }
}
