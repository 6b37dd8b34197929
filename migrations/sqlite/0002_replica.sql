-- Who made the attempt that is in flight; of one process always 0.
ALTER TABLE pending_deliveries ADD COLUMN replica INTEGER NOT NULL DEFAULT 0;
