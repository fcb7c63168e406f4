-- Which kind of cluster the rows were published to; no row: none yet.
CREATE TABLE published_to (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    cluster TEXT NOT NULL
) STRICT;
