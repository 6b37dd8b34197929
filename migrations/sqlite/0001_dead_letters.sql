-- views/dead_letters.<generation>.db: deliveries that await a person's decision.
CREATE TABLE dead_letters (
    position INTEGER PRIMARY KEY,          -- of the DeadLettered event
    number   INTEGER NOT NULL,             -- the notification's stream number
    delivery INTEGER NOT NULL,
    id       BLOB    NOT NULL,             -- 16 bytes, the notification
    code     TEXT    NOT NULL,
    unknown  INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    at       INTEGER NOT NULL              -- ms since the epoch
);
CREATE UNIQUE INDEX dead_letters_by_delivery ON dead_letters (number, delivery);
CREATE INDEX dead_letters_by_code ON dead_letters (code, position);
