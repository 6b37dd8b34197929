-- <schema>_view_suppressions_<generation>: addresses to which nothing goes, and whose addresses are whose. Keyed ids only.
CREATE TABLE suppressed (
    address  bytea  PRIMARY KEY,           -- 16 bytes
    reason   text COLLATE "C" NOT NULL,
    note     text,
    at       bigint NOT NULL,              -- ms since the epoch
    position bigint NOT NULL               -- of the AddressSuppressed event; the order of lists
);
CREATE INDEX suppressed_by_position ON suppressed (position);

-- Who has an address now: to name recipients in the list.
CREATE TABLE holders (
    recipient bytea  NOT NULL,             -- 16 bytes
    address   bytea  NOT NULL,             -- 16 bytes
    channel   bigint NOT NULL,             -- its number
    PRIMARY KEY (address, recipient)
);
CREATE INDEX holders_by_recipient ON holders (recipient);
