-- The processes that share this database, and which of them runs what must run once.
CREATE SEQUENCE replica_numbers;

CREATE TABLE replicas (
    number  bigint PRIMARY KEY,          -- never given twice: a process that was taken for dead comes back under another
    token   uuid        NOT NULL DEFAULT gen_random_uuid(), -- which a successor in the same folder knows
    name    text        NOT NULL,        -- for operators
    version text        NOT NULL,
    roles   text        NOT NULL,        -- names, parted by commas
    shares  boolean     NOT NULL DEFAULT true, -- takes a share of the table, not from the common queue
    seen    timestamptz NOT NULL         -- by this server's clock
) WITH (fillfactor = 50);

-- Who runs a consumer. The epoch grows with every change of hands; rows are written under it, so that
-- one who has lost his turn without noticing writes nothing (checkpoints.epoch).
CREATE TABLE leases (
    name    text   PRIMARY KEY,
    replica bigint,                      -- none: free
    epoch   bigint NOT NULL
);

ALTER TABLE checkpoints ADD COLUMN epoch bigint NOT NULL DEFAULT 0;

-- Who made the attempt that is in flight.
ALTER TABLE pending_deliveries ADD COLUMN replica bigint NOT NULL DEFAULT 0;
