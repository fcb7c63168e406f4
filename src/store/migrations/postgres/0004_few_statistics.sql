-- Autovacuum's ANALYZE reads 300 rows for each entry that it keeps of a column, a hundred as a rule, and every minute while
-- a table grows fast. Rows are found by their keys: ten will do, and none of what is only carried.
ALTER TABLE outbox
    ALTER seq SET STATISTICS 10,
    ALTER id SET STATISTICS 10,
    ALTER aggregatetype SET STATISTICS 10,
    ALTER aggregateid SET STATISTICS 10,
    ALTER type SET STATISTICS 10,
    ALTER payload SET STATISTICS 0,
    ALTER topic SET STATISTICS 10,
    ALTER traceparent SET STATISTICS 0,
    ALTER created_at SET STATISTICS 10;
ALTER TABLE outbox_published
    ALTER seq SET STATISTICS 10,
    ALTER partition SET STATISTICS 10,
    ALTER "offset" SET STATISTICS 10,
    ALTER published_at SET STATISTICS 10;
