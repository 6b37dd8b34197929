-- Indexes of views/notifications.<generation>.db, executed at every opening. A rebuild makes them
-- from the finished rows: a sort in place of a random descent for each row.
-- This one serves the history, the missed notifications and the unread count.
CREATE INDEX IF NOT EXISTS notifications_by_recipient ON notifications (recipient, box, visible_position)
    WHERE visible_position IS NOT NULL;
