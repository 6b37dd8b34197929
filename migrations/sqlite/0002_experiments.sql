-- views/templates.<generation>.db: who was assigned what, and what they did. One row for each notification of an experiment.
CREATE TABLE assigned (
    notification BLOB    PRIMARY KEY,          -- 16 bytes
    template     TEXT    NOT NULL,
    experiment   TEXT    NOT NULL,
    variant      TEXT    NOT NULL,
    recipient    BLOB    NOT NULL,             -- 16 bytes
    opened       INTEGER NOT NULL,             -- 1: by a person
    clicked      INTEGER NOT NULL,             -- 1: by a person
    unsubscribed INTEGER NOT NULL              -- 1: by its link
) WITHOUT ROWID;
CREATE INDEX assigned_by_template ON assigned (template, experiment, variant);
