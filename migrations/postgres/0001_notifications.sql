-- <schema>_view_notifications_<generation>: one row a notification, no personal data. Keyed by the
-- stream's number. Its index by recipient is in notifications_indexes.sql.
CREATE TABLE notifications (
    number             bigint PRIMARY KEY,
    id                 bytea  NOT NULL,    -- 16 bytes
    recipient          bytea  NOT NULL,    -- 16 bytes
    sender             text   NOT NULL,
    category           text   NOT NULL,
    priority           bigint NOT NULL,    -- 0 is the most urgent
    sandbox            bigint NOT NULL,
    requested_position bigint NOT NULL,
    requested_at       bigint NOT NULL,    -- ms since the epoch
    visible_position   bigint,             -- of the first Queued; NULL where the recipient never sees it
    deliveries         text   NOT NULL,    -- two characters each, in order of their numbers: channel, state
    flags              bigint NOT NULL,    -- 1 seen, 2 read, 4 archived
    box                bigint NOT NULL,    -- 0 unread, 1 read, 2 archived
    updated_position   bigint NOT NULL
);

-- How often each event happened: one row, from which the counts by state follow.
CREATE TABLE totals (
    id            bigint PRIMARY KEY,      -- always 1
    position      bigint NOT NULL,         -- counted up to here
    requested     bigint NOT NULL,
    deduplicated  bigint NOT NULL,
    queued        bigint NOT NULL,
    skipped       bigint NOT NULL,         -- suppressed at acceptance
    suppressed    bigint NOT NULL,         -- suppressed after they were queued
    sent          bigint NOT NULL,
    failed        bigint NOT NULL,
    cancelled     bigint NOT NULL,
    expired       bigint NOT NULL,
    dead_lettered bigint NOT NULL,
    redriven      bigint NOT NULL,
    discarded     bigint NOT NULL
);
