-- log.db: the events and what the delivery process manager owes to whom.
-- Events are keyed by their position; streams by numbers given in order of arrival, because a
-- random key in a B-tree is the dearest thing in a log and grows with it.

CREATE TABLE event_types (
    id      INTEGER PRIMARY KEY,
    kind    INTEGER NOT NULL,          -- aggregate kind, domain::AggregateKind::number
    name    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (kind, name, version)
);

CREATE TABLE streams (
    number INTEGER PRIMARY KEY,        -- from 1, in order of arrival, no gaps
    kind   INTEGER NOT NULL,
    id     BLOB    NOT NULL            -- 16 bytes
);

-- A stream's number by its id. Rows come some time after their stream, in an order in which many
-- share a page (commands/src/log/sqlite/directory.rs): all of streams up to `through` are here.
CREATE TABLE stream_directory (
    kind   INTEGER NOT NULL,
    id     BLOB    NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE stream_directory_end (
    through INTEGER NOT NULL           -- the one row
);
INSERT INTO stream_directory_end (through) VALUES (0);

-- One row for all events that were committed together with the same metadata. An event's
-- metadata is the row with the greatest position not above its own.
CREATE TABLE commits (
    position INTEGER PRIMARY KEY,      -- of the first event
    at       INTEGER NOT NULL,         -- ms since the epoch
    metadata TEXT    NOT NULL          -- JSON: actor, command, cause, correlation, trace
);

CREATE TABLE events (
    position INTEGER PRIMARY KEY,      -- from 1, no gaps
    stream   INTEGER NOT NULL,
    sequence INTEGER NOT NULL,         -- from 1 within the stream, no gaps
    type     INTEGER NOT NULL,
    payload  TEXT    NOT NULL,         -- JSON anybody may read
    sealed   BLOB                      -- personal part: subject (16) nonce (12) ciphertext and tag
);
CREATE UNIQUE INDEX events_by_stream ON events (stream, sequence);

CREATE TABLE checkpoints (
    consumer TEXT PRIMARY KEY,
    position INTEGER NOT NULL
);

CREATE TABLE parked (
    consumer TEXT    NOT NULL,
    position INTEGER NOT NULL,
    stream   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    error    TEXT    NOT NULL,
    PRIMARY KEY (consumer, position)
);

-- What is owed: deliveries that are queued, waiting or in flight as of the checkpoint of the
-- consumer 'delivery'. Those that begin and end between two checkpoints never get a row.
CREATE TABLE pending_deliveries (
    stream       INTEGER NOT NULL,     -- the notification's stream number
    delivery     INTEGER NOT NULL,
    notification BLOB    NOT NULL,     -- 16 bytes
    recipient    BLOB    NOT NULL,     -- 16 bytes
    sender       TEXT    NOT NULL,
    category     TEXT    NOT NULL,
    channel      INTEGER NOT NULL,     -- its number, plus 128 for the sandbox
    priority     INTEGER NOT NULL,     -- 0 is the most urgent
    sandbox      INTEGER NOT NULL,
    address      BLOB,
    requested_position INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    expires_at   INTEGER,
    sequence     INTEGER NOT NULL,     -- of the stream, as far as this consumer has read
    state        INTEGER NOT NULL,     -- 0 ready, 1 waiting, 2 in flight
    due          INTEGER NOT NULL,     -- ms since the epoch; 0 unless waiting
    attempt      INTEGER NOT NULL,
    counted      INTEGER NOT NULL,
    after_unknown   INTEGER NOT NULL,
    unknown_repeats INTEGER NOT NULL,
    PRIMARY KEY (stream, delivery)
) WITHOUT ROWID;
CREATE INDEX pending_by_lane ON pending_deliveries (channel, priority, sender, stream, delivery) WHERE state = 0;

-- Moments at which something is to happen. A row goes when its effect is in the log.
CREATE TABLE timers (
    due      INTEGER NOT NULL,         -- ms since the epoch
    kind     TEXT    NOT NULL,
    subject  INTEGER NOT NULL,         -- stream number
    part     INTEGER NOT NULL,         -- delivery number, or step
    PRIMARY KEY (kind, subject, part)
) WITHOUT ROWID;
CREATE INDEX timers_by_due ON timers (due);
