-- Which generation of a read model serves. A generation is a schema of its own, <this one>_view_<name>_<generation>,
-- so that a rebuild is beside the one that serves, and a switch is an UPDATE here.
CREATE TABLE read_models (
    name    text   PRIMARY KEY,
    serving bigint NOT NULL,
    newest  bigint NOT NULL              -- the last number given to a generation; none is given twice
);
