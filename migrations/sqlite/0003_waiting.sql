-- For what waits: notifications that wait as a whole, later steps of plans, digests and schedules.

-- Its topic, for the check at the last moment.
ALTER TABLE pending_deliveries ADD COLUMN topic TEXT;

-- Requests whose deliveries, or later ones, are still to come: what a row of pending_deliveries is made
-- of then. As of the checkpoint of the consumer 'delivery'.
CREATE TABLE waiting_requests (
    stream       INTEGER PRIMARY KEY,  -- the notification's stream number
    notification BLOB    NOT NULL,     -- 16 bytes
    recipient    BLOB    NOT NULL,     -- 16 bytes
    sender       TEXT    NOT NULL,
    category     TEXT    NOT NULL,
    priority     INTEGER NOT NULL,     -- 0 is the most urgent
    sandbox      INTEGER NOT NULL,
    requested_position INTEGER NOT NULL,
    expires_at   INTEGER,
    topic        TEXT
);

-- Which stream wants to be asked what, and when: as of the checkpoint of the consumer 'timers'. Apart
-- from the timers of deliveries, which another consumer keeps.
CREATE TABLE stream_timers (
    stream INTEGER NOT NULL,           -- its number
    name   TEXT    NOT NULL,           -- release, step, close, run
    kind   INTEGER NOT NULL,           -- aggregate kind, domain::AggregateKind::number
    id     BLOB    NOT NULL,           -- 16 bytes
    due    INTEGER NOT NULL,           -- ms since the epoch
    PRIMARY KEY (stream, name)
) WITHOUT ROWID;
CREATE INDEX stream_timers_by_due ON stream_timers (due, stream, name);

-- Nothing before this sets one, so what there is need not be read again.
INSERT INTO checkpoints (consumer, position) SELECT 'timers', position FROM events ORDER BY position DESC LIMIT 1;
