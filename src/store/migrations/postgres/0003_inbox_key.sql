-- The event comes first: most keys differ in it, and only then is the group compared, which is nearly always the same.
ALTER TABLE inbox DROP CONSTRAINT inbox_pkey;
ALTER TABLE inbox ADD PRIMARY KEY (event_id, consumer_group, day);
