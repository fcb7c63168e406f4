import java.util.Map;

/** Names of topics, without the prefix, and of the groups that read them. */
interface Topics {
    String ORDER_PLACED = "order-service.order-placed";
    String INVENTORY_RESULT = "inventory-service.inventory-result";
    String SEND_NOTIFICATION = "notification-service.send-notification";
    String DEAD = ".DLT";

    String INVENTORY = "inventory-service";
    String ORDER = "order-service";
    String NOTIFICATION = "notification-service";
    Map<String, String> READ_BY = Map.of(ORDER_PLACED, INVENTORY, INVENTORY_RESULT, ORDER, SEND_NOTIFICATION, NOTIFICATION);
}
