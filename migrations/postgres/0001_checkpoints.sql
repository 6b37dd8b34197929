-- First part of every generation of a read model: where its consumer stands, and the events that it
-- could not take in. Beside the rows, so that both change together.
CREATE TABLE checkpoints (
    consumer text   PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE parked (
    consumer text   NOT NULL,
    position bigint NOT NULL,
    stream   bigint NOT NULL,
    at       bigint NOT NULL,            -- ms since the epoch
    error    text   NOT NULL,
    PRIMARY KEY (consumer, position)
);

-- A switch to another generation makes it a trigger of checkpoints: a consumer that has not noticed
-- the switch, in whatever process, cannot go on writing rows that nobody reads.
CREATE FUNCTION refuse_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'another generation of this read model serves' USING ERRCODE = 'object_not_in_prerequisite_state';
END
$$;
