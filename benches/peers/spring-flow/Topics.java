/** Names of topics, without the prefix. */
interface Topics {
    String ORDER_PLACED = "order-service.order-placed";
    String INVENTORY_RESULT = "inventory-service.inventory-result";
    String SEND_NOTIFICATION = "notification-service.send-notification";
    String DEAD = ".DLT";
}
