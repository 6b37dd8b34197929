-- First part of every read model's file (views/<name>.<generation>.db): where its consumer stands,
-- and the events that it could not take in. Beside the rows, so that both change together.
CREATE TABLE checkpoints (
    consumer TEXT PRIMARY KEY,
    position INTEGER NOT NULL
);

CREATE TABLE parked (
    consumer TEXT    NOT NULL,
    position INTEGER NOT NULL,
    stream   INTEGER NOT NULL,
    at       INTEGER NOT NULL,         -- ms since the epoch
    error    TEXT    NOT NULL,
    PRIMARY KEY (consumer, position)
);
