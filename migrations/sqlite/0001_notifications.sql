-- views/notifications.<generation>.db: one row a notification, no personal data.
-- Keyed by the stream's number, so that rows are appended; its one index, a table too, is in
-- 0002_history.sql.
CREATE TABLE notifications (
    number             INTEGER PRIMARY KEY,
    id                 BLOB    NOT NULL,   -- 16 bytes
    recipient          BLOB    NOT NULL,   -- 16 bytes
    sender             TEXT    NOT NULL,
    category           TEXT    NOT NULL,
    priority           INTEGER NOT NULL,   -- 0 is the most urgent
    sandbox            INTEGER NOT NULL,
    requested_position INTEGER NOT NULL,
    requested_at       INTEGER NOT NULL,   -- ms since the epoch
    visible_position   INTEGER,            -- of the first Queued; NULL where the recipient never sees it
    deliveries         TEXT    NOT NULL,   -- two characters each, in order of their numbers: channel, state
    flags              INTEGER NOT NULL,   -- 1 seen, 2 read, 4 archived
    box                INTEGER NOT NULL,   -- 0 unread, 1 read, 2 archived
    updated_position   INTEGER NOT NULL
);


-- How often each event happened: one row, from which the counts by state follow.
CREATE TABLE totals (
    id            INTEGER PRIMARY KEY,     -- always 1
    position      INTEGER NOT NULL,        -- counted up to here
    requested     INTEGER NOT NULL,
    deduplicated  INTEGER NOT NULL,
    queued        INTEGER NOT NULL,
    skipped       INTEGER NOT NULL,        -- suppressed at acceptance
    suppressed    INTEGER NOT NULL,        -- suppressed after they were queued
    sent          INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    cancelled     INTEGER NOT NULL,
    expired       INTEGER NOT NULL,
    dead_lettered INTEGER NOT NULL,
    redriven      INTEGER NOT NULL,
    discarded     INTEGER NOT NULL
);
