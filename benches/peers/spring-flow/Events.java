import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** What the services tell one another; the fields of schemas/, in their order. */
interface Events {
    /** An event on its way into the outbox. */
    interface Event {
        String eventId();

        String eventType();

        String orderId();
    }

    record Item(String productId, int quantity) {}

    record PricedItem(String productId, int quantity, BigDecimal unitPrice) {}

    record Address(String street, String city, String state, String zip) {}

    record OrderPlaced(String eventId, String eventType, String orderId, String customerId, Instant timestamp,
            List<PricedItem> items, BigDecimal totalAmount, Address shippingAddress) implements Event {}

    record InventoryReserved(String eventId, String eventType, String orderId, String reservationId, Instant timestamp,
            String status, String failureReason, List<Item> reservedItems) implements Event {}

    record InventoryFailed(String eventId, String eventType, String orderId, Instant timestamp, String status,
            String failureReason, List<Item> reservedItems) implements Event {}

    record SendNotification(String eventId, String eventType, String orderId, Instant timestamp, String customerId,
            String channel, String to, String template, Map<String, String> parameters) implements Event {}

    static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.MILLIS);
    }

    /** A UUID of version 7 behind the prefix: later ones sort behind earlier ones, which keeps indexes small and warm. */
    static String newId(String prefix) {
        var random = ThreadLocalRandom.current();
        long time = System.currentTimeMillis() << 16 | 0x7000 | random.nextInt(0x1000);
        return prefix + new UUID(time, random.nextLong() >>> 2 | 1L << 63);
    }
}
