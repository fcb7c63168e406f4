-- As for the outbox: what is analysed every minute is found by its keys.
ALTER TABLE reservation
    ALTER order_id SET STATISTICS 10,
    ALTER reservation_id SET STATISTICS 10,
    ALTER reason SET STATISTICS 10,
    ALTER created_at SET STATISTICS 10;
ALTER TABLE reservation_item
    ALTER order_id SET STATISTICS 10,
    ALTER product_id SET STATISTICS 10,
    ALTER place SET STATISTICS 10,
    ALTER ordered SET STATISTICS 10,
    ALTER held SET STATISTICS 10;
