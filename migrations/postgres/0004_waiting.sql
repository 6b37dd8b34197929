-- For what waits: notifications that wait as a whole, later steps of plans, digests and schedules.

-- Its topic, for the check at the last moment.
ALTER TABLE pending_deliveries ADD COLUMN topic text;

-- Requests whose deliveries, or later ones, are still to come: what a row of pending_deliveries is made
-- of then. As of the checkpoint of the consumer 'delivery'.
CREATE TABLE waiting_requests (
    stream       bigint PRIMARY KEY,   -- the notification's stream number
    notification bytea  NOT NULL,      -- 16 bytes
    recipient    bytea  NOT NULL,      -- 16 bytes
    sender       text   NOT NULL,
    category     text   NOT NULL,
    priority     bigint NOT NULL,      -- 0 is the most urgent
    sandbox      bigint NOT NULL,
    requested_position bigint NOT NULL,
    expires_at   bigint,
    topic        text
);

-- Which stream wants to be asked what, and when: as of the checkpoint of the consumer 'timers'. Apart
-- from the timers of deliveries, which another consumer keeps.
CREATE TABLE stream_timers (
    stream bigint NOT NULL,            -- its number
    name   text COLLATE "C" NOT NULL,  -- release, step, close, run
    kind   bigint NOT NULL,            -- aggregate kind, domain::AggregateKind::number
    id     bytea  NOT NULL,            -- 16 bytes
    due    bigint NOT NULL,            -- ms since the epoch
    PRIMARY KEY (stream, name)
) WITH (autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX stream_timers_by_due ON stream_timers (due, stream, name);

-- Nothing before this sets one, so what there is need not be read again.
INSERT INTO checkpoints (consumer, position) SELECT 'timers', position FROM events ORDER BY position DESC LIMIT 1;
