-- views/directory.<generation>.db: what administrators have set up.
CREATE TABLE categories (
    key              TEXT PRIMARY KEY,
    name             TEXT    NOT NULL,
    description      TEXT    NOT NULL,
    required         INTEGER NOT NULL,
    default_channels TEXT    NOT NULL,     -- JSON list of names
    priority         INTEGER NOT NULL,     -- 0 is the most urgent
    defined_at       INTEGER NOT NULL,     -- ms since the epoch, first time
    updated_position INTEGER NOT NULL
);

CREATE TABLE senders (
    key              TEXT PRIMARY KEY,
    name             TEXT    NOT NULL,
    registered_at    INTEGER NOT NULL,     -- ms since the epoch, first time
    updated_position INTEGER NOT NULL
);

CREATE TABLE api_keys (
    id         BLOB PRIMARY KEY,           -- 16 bytes
    name       TEXT    NOT NULL,
    prefix     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,           -- keyed, hex; never the key
    role       TEXT    NOT NULL,           -- JSON
    issued_at  INTEGER NOT NULL,           -- ms since the epoch
    expires_at INTEGER,
    revoked_at INTEGER,
    updated_position INTEGER NOT NULL
);
CREATE INDEX api_keys_by_prefix ON api_keys (prefix);
