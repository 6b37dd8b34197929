-- The log: events in one total order, and what the delivery process manager owes to whom.
-- Whoever appends holds the row of log_head until the commit, so positions become visible in their
-- order and without gaps (commands/src/log/postgres/writer.rs).

CREATE TABLE log_head (
    id       integer PRIMARY KEY CHECK (id = 1),
    position bigint NOT NULL,           -- of the newest event
    stream   bigint NOT NULL            -- of the newest stream
);
INSERT INTO log_head VALUES (1, 0, 0);

CREATE TABLE event_types (
    id      integer PRIMARY KEY,
    kind    smallint NOT NULL,          -- domain::AggregateKind::number
    name    text     NOT NULL,
    version integer  NOT NULL,
    UNIQUE (kind, name, version)
);

-- Filled from domain::AggregateKind at every start; for the view.
CREATE TABLE aggregate_kinds (
    number smallint PRIMARY KEY,
    name   text     NOT NULL UNIQUE
);

CREATE TABLE streams (
    number bigint   NOT NULL PRIMARY KEY,  -- from 1, in order of arrival, no gaps
    kind   smallint NOT NULL,
    id     text COLLATE "C" NOT NULL,      -- a UUID; as text, because postgres-es asks for text
    UNIQUE (kind, id)
);

-- One row for all events that were committed together with the same metadata. An event's
-- metadata is the row with the greatest position not above its own.
CREATE TABLE commits (
    position bigint NOT NULL PRIMARY KEY,  -- of the first event
    at       bigint NOT NULL,              -- ms since the epoch
    metadata text   NOT NULL,              -- JSON: actor, command, cause, correlation, trace
    batch    uuid                          -- in the first row of a transaction: whose it was
);

CREATE TABLE events (
    position bigint  NOT NULL PRIMARY KEY, -- from 1, no gaps
    stream   bigint  NOT NULL,
    sequence bigint  NOT NULL,             -- from 1 within the stream, no gaps
    type     integer NOT NULL,
    payload  text    NOT NULL,             -- JSON anybody may read
    sealed   bytea,                        -- personal part: subject (16) nonce (12) ciphertext and tag
    UNIQUE (stream, sequence)
);
-- Sealed bytes do not compress, and what is small stays in the row.
ALTER TABLE events ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- Single streams with the column names of postgres-es.
CREATE VIEW stream_events AS
    SELECT k.name AS aggregate_type, s.id AS aggregate_id, e.sequence, t.name AS event_type, t.version::text AS event_version,
           e.payload::json AS payload,
           json_build_object('position', e.position, 'number', e.stream, 'at', c.at, 'sealed', encode(e.sealed, 'base64'), 'commit', c.metadata::json) AS metadata
    FROM streams s
    JOIN aggregate_kinds k ON k.number = s.kind
    JOIN events e ON e.stream = s.number
    JOIN event_types t ON t.id = e.type
    CROSS JOIN LATERAL (SELECT at, metadata FROM commits WHERE commits.position <= e.position ORDER BY commits.position DESC LIMIT 1) c;

CREATE TABLE checkpoints (
    consumer text   PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE parked (
    consumer text   NOT NULL,
    position bigint NOT NULL,
    stream   bigint NOT NULL,
    at       bigint NOT NULL,
    error    text   NOT NULL,
    PRIMARY KEY (consumer, position)
);

-- What is owed: deliveries that are queued, waiting or in flight as of the checkpoint of the
-- consumer 'delivery'. Those that begin and end between two checkpoints never get a row.
CREATE TABLE pending_deliveries (
    stream       bigint NOT NULL,      -- the notification's stream number
    delivery     bigint NOT NULL,
    notification bytea  NOT NULL,      -- 16 bytes
    recipient    bytea  NOT NULL,      -- 16 bytes
    sender       text COLLATE "C" NOT NULL,
    category     text   NOT NULL,
    channel      bigint NOT NULL,      -- its number, plus 128 for the sandbox
    priority     bigint NOT NULL,      -- 0 is the most urgent
    sandbox      bigint NOT NULL,
    address      bytea,
    requested_position bigint NOT NULL,
    requested_at bigint NOT NULL,
    expires_at   bigint,
    sequence     bigint NOT NULL,      -- of the stream, as far as this consumer has read
    state        bigint NOT NULL,      -- 0 ready, 1 waiting, 2 in flight
    due          bigint NOT NULL,      -- ms since the epoch; 0 unless waiting
    attempt      bigint NOT NULL,
    counted      bigint NOT NULL,
    after_unknown   bigint NOT NULL,
    unknown_repeats bigint NOT NULL,
    PRIMARY KEY (stream, delivery)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX pending_by_lane ON pending_deliveries (channel, priority, sender, stream, delivery) WHERE state = 0;
CREATE INDEX pending_in_flight ON pending_deliveries (stream, delivery) WHERE state = 2;

-- Moments at which something is to happen. A row goes when its effect is in the log.
CREATE TABLE timers (
    due      bigint NOT NULL,          -- ms since the epoch
    kind     text   NOT NULL,
    subject  bigint NOT NULL,          -- stream number
    part     bigint NOT NULL,          -- delivery number, or step
    PRIMARY KEY (kind, subject, part)
);
CREATE INDEX timers_by_due ON timers (kind, due);

-- What all replicas must agree on.
CREATE TABLE installation (
    id     integer PRIMARY KEY CHECK (id = 1),
    master text NOT NULL               -- a fingerprint of the master key
);
