-- Orders, what they heard, and what is owed to the payment provider.

CREATE TABLE orders (
    id             text PRIMARY KEY,
    customer_id    text COLLATE "C" NOT NULL,
    status         text NOT NULL,
    reason         text,
    reservation_id text,
    paid           bigint NOT NULL DEFAULT 0,
    -- Counts what the order heard; the newest row of order_event has it.
    version        bigint NOT NULL,
    total_cents    bigint NOT NULL CHECK (total_cents >= 0),
    -- JSON, as they were placed.
    items          text NOT NULL,
    address        text NOT NULL,
    contact        text NOT NULL,
    placed_at      bigint NOT NULL,
    changed_at     bigint NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX orders_of_customer ON orders (customer_id, placed_at DESC, id DESC);

CREATE TABLE order_event (
    order_id text NOT NULL,
    version  bigint NOT NULL,
    at       bigint NOT NULL,
    kind     text NOT NULL,
    -- Where the order stood afterwards.
    status   text NOT NULL,
    -- Why nothing came of it; null: something did.
    ignored  text,
    reason   text,
    -- The event that it announced, or that it heard.
    event_id text,
    -- topic/partition/offset of what it heard.
    place    text,
    PRIMARY KEY (order_id, version)
);

CREATE TABLE idempotency_key (
    key         text PRIMARY KEY,
    fingerprint text NOT NULL,
    order_id    text NOT NULL,
    created_at  bigint NOT NULL
);

CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);

CREATE TABLE capture (
    order_id    text PRIMARY KEY,
    amount_cents bigint NOT NULL,
    attempts    int NOT NULL DEFAULT 0,
    -- When it may be tried (again); while it is tried: when another may take it over.
    due_at      bigint NOT NULL,
    -- captured, declined; null: not settled yet.
    outcome     text,
    last_error  text,
    traceparent text
) WITH (fillfactor = 80);

CREATE INDEX capture_due ON capture (due_at) WHERE outcome IS NULL;
