-- Which kind of cluster the rows were published to; no row: none yet. A store whose records are in one cluster must not
-- go on with another: what was published is not there.
CREATE TABLE published_to (
    one     smallint PRIMARY KEY CHECK (one = 1),
    cluster text NOT NULL
);
