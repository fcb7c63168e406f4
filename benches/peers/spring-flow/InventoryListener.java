import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Reserves stock for orders: all that one wants, or nothing. */
class InventoryListener {
    static final String TABLES = """
            CREATE TABLE product (
                id text PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0),
                reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0)
            ) WITH (fillfactor = 50);
            CREATE TABLE reservation (
                order_id text, product_id text, reservation_id text NOT NULL, quantity bigint NOT NULL,
                PRIMARY KEY (order_id, product_id)
            );
            """;
    private static final String LOCK = "SELECT id, available FROM product WHERE id = ANY (?) ORDER BY id FOR UPDATE";
    private static final String TAKE = """
            UPDATE product SET available = available - taken, reserved = reserved + taken
            FROM unnest(?::text[], ?::bigint[]) AS t (product, taken) WHERE id = product""";
    private static final String RESERVE = """
            INSERT INTO reservation (order_id, product_id, reservation_id, quantity)
            SELECT * FROM unnest(?::text[], ?::text[], ?::text[], ?::bigint[])""";

    record Placed(String orderId, List<Events.Item> items) {}

    private final JdbcTemplate jdbc;
    private final TransactionTemplate transaction;
    private final Inbox inbox;
    private final Outbox outbox;

    InventoryListener(JdbcTemplate jdbc, TransactionTemplate transaction, Inbox inbox, Outbox outbox) {
        this.jdbc = jdbc;
        this.transaction = transaction;
        this.inbox = inbox;
        this.outbox = outbox;
    }

    @KafkaListener(id = "inventory", groupId = Topics.INVENTORY + "${flow.life}",
            topics = "${flow.prefix}" + Topics.ORDER_PLACED)
    void reserve(List<ConsumerRecord<String, byte[]>> batch) {
        var received = inbox.read(batch, Placed.class);
        transaction.executeWithoutResult(status -> {
            var orders = inbox.claim(Topics.INVENTORY, received).stream().map(Inbox.Received::event).toList();
            if (!orders.isEmpty()) {
                reserveAll(orders);
            }
        });
        outbox.wake();
    }

    private void reserveAll(List<Placed> orders) {
        var wanted = orders.stream().flatMap(order -> order.items.stream()).map(Events.Item::productId).distinct();
        Map<String, Long> available = new TreeMap<>();
        jdbc.query(LOCK, row -> {
            available.put(row.getString(1), row.getLong(2));
        }, (Object) wanted.toArray(String[]::new));
        var taken = new TreeMap<String, Long>();
        var rows = new Rows();
        var results = new ArrayList<Events.Event>(orders.size());
        var now = Events.now();
        for (var order : orders) {
            var items = new TreeMap<String, Integer>();
            order.items.forEach(item -> items.merge(item.productId(), item.quantity(), Math::addExact));
            var lacking = items.keySet().stream()
                    .filter(product -> available.getOrDefault(product, 0L) < items.get(product)).findFirst();
            if (lacking.isPresent()) {
                results.add(new Events.InventoryFailed(Events.newId("evt-"), "InventoryFailed", order.orderId, now,
                        "FAILED", "Insufficient stock for " + lacking.get(), List.of()));
                continue;
            }
            String reservation = Events.newId("RES-");
            items.forEach((product, quantity) -> {
                available.merge(product, (long) -quantity, Long::sum);
                taken.merge(product, (long) quantity, Long::sum);
                rows.add(order.orderId, product, reservation, quantity);
            });
            var reserved = items.entrySet().stream().map(item -> new Events.Item(item.getKey(), item.getValue())).toList();
            results.add(new Events.InventoryReserved(Events.newId("evt-"), "InventoryReserved", order.orderId, reservation,
                    now, "RESERVED", null, reserved));
        }
        if (!taken.isEmpty()) {
            jdbc.update(TAKE, taken.keySet().toArray(String[]::new), taken.values().toArray(Long[]::new));
            jdbc.update(RESERVE, rows.orders.toArray(String[]::new), rows.products.toArray(String[]::new),
                    rows.reservations.toArray(String[]::new), rows.quantities.toArray(Long[]::new));
        }
        outbox.add(Topics.INVENTORY_RESULT, results);
    }

    private static class Rows {
        final List<String> orders = new ArrayList<>(), products = new ArrayList<>(), reservations = new ArrayList<>();
        final List<Long> quantities = new ArrayList<>();

        void add(String order, String product, String reservation, long quantity) {
            orders.add(order);
            products.add(product);
            reservations.add(reservation);
            quantities.add(quantity);
        }
    }
}
