-- As for the outbox: what is analysed every minute is found by its keys.
ALTER TABLE orders
    ALTER id SET STATISTICS 10,
    ALTER customer_id SET STATISTICS 10,
    ALTER status SET STATISTICS 10,
    ALTER reason SET STATISTICS 0,
    ALTER reservation_id SET STATISTICS 0,
    ALTER paid SET STATISTICS 0,
    ALTER version SET STATISTICS 0,
    ALTER total_cents SET STATISTICS 0,
    ALTER items SET STATISTICS 0,
    ALTER address SET STATISTICS 0,
    ALTER contact SET STATISTICS 0,
    ALTER placed_at SET STATISTICS 10,
    ALTER changed_at SET STATISTICS 10;
ALTER TABLE order_event
    ALTER order_id SET STATISTICS 10,
    ALTER version SET STATISTICS 10,
    ALTER at SET STATISTICS 10,
    ALTER kind SET STATISTICS 10,
    ALTER status SET STATISTICS 10,
    ALTER ignored SET STATISTICS 0,
    ALTER reason SET STATISTICS 0,
    ALTER event_id SET STATISTICS 0,
    ALTER place SET STATISTICS 0;
ALTER TABLE capture
    ALTER order_id SET STATISTICS 10,
    ALTER amount_cents SET STATISTICS 0,
    ALTER attempts SET STATISTICS 0,
    ALTER due_at SET STATISTICS 10,
    ALTER outcome SET STATISTICS 10,
    ALTER last_error SET STATISTICS 0,
    ALTER traceparent SET STATISTICS 0;
