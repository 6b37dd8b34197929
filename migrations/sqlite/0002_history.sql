-- The index of notifications by recipient: a table, since rows get into it later than into the
-- other (commands::database::DeferredIndex). The newest may be missing; the rest is exact.
CREATE TABLE history (
    recipient        BLOB    NOT NULL,   -- 16 bytes
    box              INTEGER NOT NULL,   -- as in notifications
    visible_position INTEGER NOT NULL,   -- as in notifications: the others are not in it
    number           INTEGER NOT NULL,
    PRIMARY KEY (recipient, box, visible_position)
) WITHOUT ROWID;

-- All rows up to this number are in it.
CREATE TABLE history_end (
    id      INTEGER PRIMARY KEY,         -- always 1
    through INTEGER NOT NULL
);
INSERT INTO history_end (id, through) VALUES (1, 0);

-- What changes its place is entered at its new one, whether or not it was at the old one.
CREATE TRIGGER history_moves AFTER UPDATE OF box, visible_position ON notifications
    WHEN old.box <> new.box OR old.visible_position IS NOT new.visible_position
BEGIN
    DELETE FROM history WHERE recipient = old.recipient AND box = old.box AND visible_position = old.visible_position;
    INSERT OR IGNORE INTO history (recipient, box, visible_position, number)
        SELECT new.recipient, new.box, new.visible_position, new.number WHERE new.visible_position IS NOT NULL;
END;

DROP INDEX IF EXISTS notifications_by_recipient;
