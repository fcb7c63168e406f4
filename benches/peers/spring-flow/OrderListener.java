import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Settles orders by what the inventory says; payment is simulated and approves. */
class OrderListener {
    private static final String SETTLE = """
            UPDATE orders SET status = new, reservation_id = reservation, reason = why,
                paid = CASE new WHEN 'CONFIRMED' THEN total ELSE 0 END
            FROM unnest(?::text[], ?::text[], ?::text[], ?::text[]) AS t (order_id, new, reservation, why)
            WHERE id = order_id AND status = 'PENDING'
            RETURNING id, status, customer_id, total, reservation_id, reason""";

    record Result(String orderId, String reservationId, String failureReason) {}

    record Settled(String order, String status, String customer, BigDecimal total, String reservation, String reason) {}

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final Inbox inbox;
    private final Outbox outbox;
    private final OrderEvents events;

    OrderListener(JdbcTemplate jdbc, TransactionTemplate transaction, Inbox inbox, Outbox outbox, OrderEvents events) {
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.inbox = inbox;
        this.outbox = outbox;
        this.events = events;
    }

    @KafkaListener(id = "order", groupId = Topics.ORDER + "${flow.life}",
            topics = "${flow.prefix}" + Topics.INVENTORY_RESULT)
    void settle(List<ConsumerRecord<String, byte[]>> batch) {
        var received = inbox.read(batch, Result.class);
        List<Settled> settled = transaction.execute(status -> {
            var results = inbox.claim(Topics.ORDER, received);
            if (results.isEmpty()) {
                return List.of();
            }
            var orders = settleAll(results);
            outbox.add(Topics.SEND_NOTIFICATION, orders.stream().map(OrderListener::letter).toList());
            return orders;
        });
        outbox.wake();
        settled.forEach(order -> events.settled(order.order, order.status));
    }

    private List<Settled> settleAll(List<Inbox.Received<Result>> results) {
        int count = results.size();
        String[] orders = new String[count], statuses = new String[count];
        String[] reservations = new String[count], reasons = new String[count];
        for (int i = 0; i < count; i++) {
            var result = results.get(i);
            orders[i] = result.event().orderId;
            statuses[i] = result.type().equals("InventoryReserved") ? "CONFIRMED" : "CANCELLED";
            reservations[i] = result.event().reservationId;
            reasons[i] = result.event().failureReason;
        }
        return jdbc.query(SETTLE, (row, number) -> new Settled(row.getString(1), row.getString(2), row.getString(3),
                row.getBigDecimal(4), row.getString(5), row.getString(6)), orders, statuses, reservations, reasons);
    }

    private static Events.SendNotification letter(Settled order) {
        Map<String, String> parameters = new TreeMap<>();
        parameters.put("orderId", order.order);
        parameters.put("totalAmount", order.total.toPlainString());
        if (order.reservation != null) {
            parameters.put("reservationId", order.reservation);
        }
        if (order.reason != null) {
            parameters.put("reason", order.reason);
        }
        return new Events.SendNotification(Events.newId("evt-"), "SendNotification", order.order, Events.now(),
                order.customer, "email", order.customer,
                order.status.equals("CONFIRMED") ? "order-confirmed" : "order-cancelled", parameters);
    }
}
