-- <schema>_view_dead_letters_<generation>: deliveries that await a person's decision.
CREATE TABLE dead_letters (
    position bigint PRIMARY KEY,           -- of the DeadLettered event
    number   bigint NOT NULL,              -- the notification's stream number
    delivery bigint NOT NULL,
    id       bytea  NOT NULL,              -- 16 bytes, the notification
    code     text COLLATE "C" NOT NULL,
    unknown  bigint NOT NULL,
    attempts bigint NOT NULL,
    at       bigint NOT NULL,              -- ms since the epoch
    UNIQUE (number, delivery)
);
CREATE INDEX dead_letters_by_code ON dead_letters (code, position);
