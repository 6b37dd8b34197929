-- views/templates.<generation>.db: templates as they are found. What they say in full is in the log.
CREATE TABLE templates (
    key        TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,           -- as written last
    names      TEXT    NOT NULL,           -- key, name and tags in lower case: what is found here comes first
    words      TEXT    NOT NULL,           -- these, the description and all texts in lower case, without markup
    revision   INTEGER NOT NULL,           -- how often it was written
    version    INTEGER NOT NULL,           -- what is sent; 0: nothing
    archived   INTEGER NOT NULL,           -- 1: new requests are refused
    access     TEXT    NOT NULL,           -- JSON: which senders may do what
    updated_at INTEGER NOT NULL,           -- ms since the epoch
    position   INTEGER NOT NULL            -- of its last event
);
