import java.math.BigDecimal;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import tools.jackson.databind.json.JsonMapper;

/** Takes orders in, and tells how they stand. */
@RestController
class OrderApi {
    static final String TABLE = """
            CREATE TABLE orders (
                id text PRIMARY KEY, customer_id text NOT NULL, status text NOT NULL DEFAULT 'PENDING', reason text,
                reservation_id text, paid numeric NOT NULL DEFAULT 0, total numeric NOT NULL, items text NOT NULL,
                address text NOT NULL, placed_at timestamptz NOT NULL DEFAULT now()
            ) WITH (fillfactor = 80);
            """;
    /** One statement and so one transaction, in one round trip. */
    private static final String PLACE = "WITH placed AS (INSERT INTO orders (id, customer_id, total, items, address)"
            + " VALUES (?, ?, ?, ?, ?)) " + Outbox.INSERT_ONE;

    record NewOrder(String customerId, List<Events.Item> items, Events.Address shippingAddress) {}

    record Accepted(String orderId, String status, String message) {}

    record Order(String orderId, String status) {}

    record Stock(String productId, long available, long reserved) {}

    private final JdbcTemplate jdbc;
    private final JsonMapper json;
    private final Outbox outbox;
    private final OrderEvents events;

    OrderApi(JdbcTemplate jdbc, JsonMapper json, Outbox outbox, OrderEvents events) {
        this.jdbc = jdbc;
        this.json = json;
        this.outbox = outbox;
        this.events = events;
    }

    @PostMapping("/orders")
    ResponseEntity<Accepted> place(@RequestBody NewOrder order) {
        require(order.customerId != null && order.shippingAddress != null && order.items != null && !order.items.isEmpty());
        var items = order.items.stream().map(OrderApi::price).toList();
        var total = items.stream()
                .map(item -> item.unitPrice().multiply(BigDecimal.valueOf(item.quantity())))
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        var placed = new Events.OrderPlaced(Events.newId("evt-"), "OrderPlaced", Events.newId("ORD-"),
                order.customerId, Events.now(), items, total, order.shippingAddress);
        Object[] event = outbox.row(Topics.ORDER_PLACED, placed);
        jdbc.update(PLACE, placed.orderId(), order.customerId, total, json.writeValueAsString(items),
                json.writeValueAsString(order.shippingAddress), event[0], event[1], event[2], event[3], event[4]);
        outbox.wake();
        return ResponseEntity.accepted()
                .location(URI.create("/orders/" + placed.orderId()))
                .body(new Accepted(placed.orderId(), "PENDING",
                        "Your order is being confirmed. This usually takes a few seconds."));
    }

    @GetMapping("/orders/{id}")
    Order show(@PathVariable("id") String id) {
        return new Order(id, status(id));
    }

    @GetMapping("/orders/{id}/events")
    SseEmitter events(@PathVariable("id") String id) {
        return events.follow(id, () -> status(id));
    }

    @GetMapping("/products")
    Map<String, List<Stock>> products() {
        return Map.of("products", jdbc.query("SELECT id, available, reserved FROM product ORDER BY id",
                (row, number) -> new Stock(row.getString(1), row.getLong(2), row.getLong(3))));
    }

    private String status(String id) {
        var found = jdbc.queryForList("SELECT status FROM orders WHERE id = ?", String.class, id);
        if (found.isEmpty()) {
            throw new ResponseStatusException(HttpStatus.NOT_FOUND);
        }
        return found.get(0);
    }

    private static Events.PricedItem price(Events.Item item) {
        var product = Catalogue.PRODUCTS.get(item.productId());
        require(product != null && item.quantity() > 0);
        return new Events.PricedItem(item.productId(), item.quantity(), product.price());
    }

    private static void require(boolean valid) {
        if (!valid) {
            throw new ResponseStatusException(HttpStatus.UNPROCESSABLE_CONTENT);
        }
    }
}
