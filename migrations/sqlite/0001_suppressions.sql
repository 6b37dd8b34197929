-- views/suppressions.<generation>.db: addresses to which nothing goes, and whose addresses are whose. Keyed ids only.
CREATE TABLE suppressed (
    address  BLOB    PRIMARY KEY,          -- 16 bytes
    reason   TEXT    NOT NULL,
    note     TEXT,
    at       INTEGER NOT NULL,             -- ms since the epoch
    position INTEGER NOT NULL              -- of the AddressSuppressed event; the order of lists
);
CREATE INDEX suppressed_by_position ON suppressed (position);

-- Who has an address now: to name recipients in the list.
CREATE TABLE holders (
    recipient BLOB NOT NULL,               -- 16 bytes
    address   BLOB NOT NULL,               -- 16 bytes
    channel   INTEGER NOT NULL,            -- its number
    PRIMARY KEY (address, recipient)
) WITHOUT ROWID;
CREATE INDEX holders_by_recipient ON holders (recipient);
