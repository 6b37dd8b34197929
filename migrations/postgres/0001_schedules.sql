-- <schema>_view_schedules_<generation>: schedules of requests, by whom and for whom they are; no content.
CREATE TABLE schedules (
    id               bytea  PRIMARY KEY,   -- 16 bytes
    recipient        bytea  NOT NULL,      -- 16 bytes
    sender           text COLLATE "C" NOT NULL,
    category         text COLLATE "C" NOT NULL,
    sandbox          bigint NOT NULL,
    standing         bigint NOT NULL,      -- 1 active, 2 paused, 3 ended
    next             bigint,               -- the next run, ms since the epoch
    defined_position bigint NOT NULL,      -- the order of lists
    updated_position bigint NOT NULL
);
CREATE INDEX schedules_by_position ON schedules (defined_position);
CREATE INDEX schedules_by_recipient ON schedules (recipient, defined_position);
