-- The inventory's own tables. Ids are compared by their bytes, so that rows are locked in one order everywhere.

-- How much there is of each product; what is available and what is reserved add up to what is there. Updated once in a
-- batch, however many orders want the product; there is room beside a row for its next versions.
CREATE TABLE product (
    id        varchar(128) COLLATE "C" PRIMARY KEY,
    available bigint NOT NULL CHECK (available >= 0),
    reserved  bigint NOT NULL CHECK (reserved >= 0),
    -- Operations were told that it is short, and it was not restocked since.
    told      boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

-- Every order that was ever heard of. One with a reservation was reserved, one with a reason failed; one with neither is
-- known from a cancellation alone.
CREATE TABLE reservation (
    order_id       varchar(128) COLLATE "C" PRIMARY KEY,
    reservation_id varchar(128) UNIQUE,
    reason         text,
    created_at     bigint NOT NULL,
    CHECK (reservation_id IS NULL OR reason IS NULL)
);

-- What was reserved, and how much of it is still held back; the sum of `held` is the product's `reserved`.
CREATE TABLE reservation_item (
    order_id   varchar(128) COLLATE "C" NOT NULL REFERENCES reservation,
    product_id varchar(128) COLLATE "C" NOT NULL,
    place      integer NOT NULL,
    ordered    bigint NOT NULL CHECK (ordered > 0),
    held       bigint NOT NULL CHECK (held BETWEEN 0 AND ordered),
    PRIMARY KEY (order_id, product_id)
);

-- What runs of the refund saga did to an order: the answers to their commands, as JSON. Each step is done once for ever.
CREATE TABLE saga_step (
    order_id  varchar(128) COLLATE "C" NOT NULL REFERENCES reservation,
    saga_id   varchar(128) COLLATE "C" NOT NULL,
    cancelled text,
    restored  text,
    PRIMARY KEY (order_id, saga_id)
);
