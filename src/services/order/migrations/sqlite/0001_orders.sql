-- Orders, what they heard, and what is owed to the payment provider.

CREATE TABLE orders (
    id             TEXT PRIMARY KEY,
    customer_id    TEXT NOT NULL,
    status         TEXT NOT NULL,
    reason         TEXT,
    reservation_id TEXT,
    paid           INTEGER NOT NULL DEFAULT 0,
    -- Counts what the order heard; the newest row of order_event has it.
    version        INTEGER NOT NULL,
    total_cents    INTEGER NOT NULL CHECK (total_cents >= 0),
    -- JSON, as they were placed.
    items          TEXT NOT NULL,
    address        TEXT NOT NULL,
    contact        TEXT NOT NULL,
    placed_at      INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX orders_of_customer ON orders (customer_id, placed_at DESC, id DESC);

CREATE TABLE order_event (
    order_id TEXT NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    -- Where the order stood afterwards.
    status   TEXT NOT NULL,
    -- Why nothing came of it; null: something did.
    ignored  TEXT,
    reason   TEXT,
    -- The event that it announced, or that it heard.
    event_id TEXT,
    -- topic/partition/offset of what it heard.
    place    TEXT,
    PRIMARY KEY (order_id, version)
) STRICT;

CREATE TABLE idempotency_key (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);

CREATE TABLE capture (
    order_id    TEXT PRIMARY KEY,
    amount_cents INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- When it may be tried (again); while it is tried: when another may take it over.
    due_at      INTEGER NOT NULL,
    -- captured, declined; null: not settled yet.
    outcome     TEXT,
    last_error  TEXT,
    traceparent TEXT
) STRICT;

CREATE INDEX capture_due ON capture (due_at) WHERE outcome IS NULL;
