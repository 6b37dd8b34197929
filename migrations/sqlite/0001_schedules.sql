-- views/schedules.<generation>.db: schedules of requests, by whom and for whom they are; no content.
CREATE TABLE schedules (
    id               BLOB    PRIMARY KEY,  -- 16 bytes
    recipient        BLOB    NOT NULL,     -- 16 bytes
    sender           TEXT    NOT NULL,
    category         TEXT    NOT NULL,
    sandbox          INTEGER NOT NULL,
    standing         INTEGER NOT NULL,     -- 1 active, 2 paused, 3 ended
    next             INTEGER,              -- the next run, ms since the epoch
    defined_position INTEGER NOT NULL,     -- the order of lists
    updated_position INTEGER NOT NULL
);
CREATE INDEX schedules_by_position ON schedules (defined_position);
CREATE INDEX schedules_by_recipient ON schedules (recipient, defined_position);
