-- Second part of every generation of a read model: under which turn of its consumer its rows were
-- written last. One who has lost his turn without noticing writes nothing.
ALTER TABLE checkpoints ADD COLUMN epoch bigint NOT NULL DEFAULT 0;
