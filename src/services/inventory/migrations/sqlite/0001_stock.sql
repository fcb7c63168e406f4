-- The inventory's own tables. The PostgreSQL migration of the same number says what each is for.

CREATE TABLE product (
    id        TEXT PRIMARY KEY,
    available INTEGER NOT NULL CHECK (available >= 0),
    reserved  INTEGER NOT NULL CHECK (reserved >= 0),
    told      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation (
    order_id       TEXT PRIMARY KEY,
    reservation_id TEXT UNIQUE,
    reason         TEXT,
    created_at     INTEGER NOT NULL,
    CHECK (reservation_id IS NULL OR reason IS NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation_item (
    order_id   TEXT NOT NULL REFERENCES reservation,
    product_id TEXT NOT NULL,
    place      INTEGER NOT NULL,
    ordered    INTEGER NOT NULL CHECK (ordered > 0),
    held       INTEGER NOT NULL CHECK (held BETWEEN 0 AND ordered),
    PRIMARY KEY (order_id, product_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE saga_step (
    order_id  TEXT NOT NULL REFERENCES reservation,
    saga_id   TEXT NOT NULL,
    cancelled TEXT,
    restored  TEXT,
    PRIMARY KEY (order_id, saga_id)
) STRICT, WITHOUT ROWID;
