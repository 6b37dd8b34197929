-- Executed at every opening of views/notifications.<generation>.db, and at the end of a rebuild:
-- enters what is not in the index yet, in its order.
BEGIN;
INSERT OR IGNORE INTO history (recipient, box, visible_position, number)
    SELECT recipient, box, visible_position, number FROM notifications
    WHERE number > (SELECT through FROM history_end) AND visible_position IS NOT NULL
    ORDER BY recipient, box, visible_position;
UPDATE history_end SET through = (SELECT coalesce(max(number), 0) FROM notifications);
-- Those that no recipient sees (suppressed, waiting, rehearsed), for who asks why: what is queued at
-- once never enters it.
CREATE INDEX IF NOT EXISTS notifications_hidden ON notifications (recipient, requested_at) WHERE visible_position IS NULL;
COMMIT;
