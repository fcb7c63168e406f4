-- What a service's messaging keeps beside its own tables, in the same file and so in the same transactions.
-- Times are milliseconds since 1970. The PostgreSQL migration of the same number says what each table is for.

CREATE TABLE outbox (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,
    id            TEXT NOT NULL UNIQUE,
    aggregatetype TEXT NOT NULL,
    aggregateid   TEXT NOT NULL,
    type          TEXT NOT NULL,
    payload       TEXT NOT NULL,
    topic         TEXT NOT NULL,
    traceparent   TEXT,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox_pending (
    seq    INTEGER PRIMARY KEY,
    topic  TEXT NOT NULL,
    hash   INTEGER NOT NULL,
    bucket INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox_published (
    seq          INTEGER PRIMARY KEY,
    partition    INTEGER NOT NULL,
    "offset"     INTEGER NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox_dead (
    seq         INTEGER PRIMARY KEY,
    aggregateid TEXT NOT NULL,
    reason      TEXT NOT NULL,
    failed_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_dead_key ON outbox_dead (aggregateid);

CREATE TABLE inbox (
    day            INTEGER NOT NULL,
    consumer_group TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    PRIMARY KEY (consumer_group, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_day ON inbox (day);

CREATE TABLE inbox_dead (
    consumer_group TEXT NOT NULL,
    event_id       TEXT NOT NULL,
    place          TEXT NOT NULL,
    class          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    applied        INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    PRIMARY KEY (consumer_group, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE consumer_partition (
    consumer_group TEXT NOT NULL,
    topic          TEXT NOT NULL,
    partition      INTEGER NOT NULL,
    epoch          INTEGER NOT NULL,
    next_offset    INTEGER,
    PRIMARY KEY (consumer_group, topic, partition)
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (
    name       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
