-- What a service's messaging keeps beside its own tables, in the same schema and so in the same transactions.
-- Times are milliseconds since 1970.

-- Debezium's EventRouter reads `id, aggregatetype, aggregateid, type, payload` of these rows, and `topic` and `traceparent`
-- with the settings that we ship. A row is never changed: what becomes of it stands in the tables below.
CREATE TABLE outbox (
    seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id            varchar(255) NOT NULL UNIQUE,
    aggregatetype varchar(255) NOT NULL,
    aggregateid   varchar(255) NOT NULL,
    type          varchar(255) NOT NULL,
    payload       text NOT NULL,
    topic         varchar(249) NOT NULL,
    traceparent   varchar(255),
    created_at    bigint NOT NULL
);

-- Rows that wait to be published, found by state and never by a cursor. `hash` is that of the key, as the producer takes it.
CREATE TABLE outbox_pending (
    seq    bigint PRIMARY KEY,
    topic  varchar(249) NOT NULL,
    hash   integer NOT NULL,
    bucket smallint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- Where a published row is in Kafka.
CREATE TABLE outbox_published (
    seq          bigint PRIMARY KEY,
    partition    integer NOT NULL,
    "offset"     bigint NOT NULL,
    published_at bigint NOT NULL
);
CREATE INDEX outbox_published_at ON outbox_published USING brin (published_at);

-- Rows that no broker will take, until somebody decides. They hold their key's later rows back, unless these may pass.
CREATE TABLE outbox_dead (
    seq         bigint PRIMARY KEY,
    aggregateid varchar(255) NOT NULL,
    reason      text NOT NULL,
    failed_at   bigint NOT NULL
);
CREATE INDEX outbox_dead_key ON outbox_dead (aggregateid);

-- Events whose effects are in this schema; a partition a day, dropped whole. The primary key spans one day: over days,
-- who inserts looks first, and the fence lets nobody else insert for the same partition of Kafka.
CREATE TABLE inbox (
    day            integer NOT NULL,
    consumer_group varchar(255) NOT NULL,
    event_id       varchar(1024) NOT NULL,
    PRIMARY KEY (consumer_group, event_id, day)
) PARTITION BY LIST (day);

-- Events that were given up: what stood at `place` is dead-lettered, whenever it is read; the same event from anywhere else
-- is a replay, after which it is `applied`. They live as long as the dead-letter topic.
CREATE TABLE inbox_dead (
    consumer_group varchar(255) NOT NULL,
    event_id       varchar(1024) NOT NULL,
    place          varchar(300) NOT NULL,
    class          varchar(64) NOT NULL,
    reason         text NOT NULL,
    applied        boolean NOT NULL,
    expires_at     bigint NOT NULL,
    PRIMARY KEY (consumer_group, event_id)
);

-- Who owns a partition of Kafka: every transaction of a batch checks the epoch, so that a former owner is refused.
CREATE TABLE consumer_partition (
    consumer_group varchar(255) NOT NULL,
    topic          varchar(249) NOT NULL,
    partition      integer NOT NULL,
    epoch          bigint NOT NULL,
    next_offset    bigint,
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

-- Who does what nobody else may do at the same time. `epoch` grows with every new owner.
CREATE TABLE lease (
    name       varchar(255) PRIMARY KEY,
    owner      varchar(255) NOT NULL,
    epoch      bigint NOT NULL,
    expires_at bigint NOT NULL
) WITH (fillfactor = 50);
