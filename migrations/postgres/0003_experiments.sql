-- <schema>_view_templates_<generation>: who was assigned what, and what they did. One row for each notification of an experiment.
CREATE TABLE assigned (
    notification bytea  PRIMARY KEY,           -- 16 bytes
    template     text COLLATE "C" NOT NULL,
    experiment   text COLLATE "C" NOT NULL,
    variant      text COLLATE "C" NOT NULL,
    recipient    bytea  NOT NULL,              -- 16 bytes
    opened       bigint NOT NULL,              -- 1: by a person
    clicked      bigint NOT NULL,              -- 1: by a person
    unsubscribed bigint NOT NULL               -- 1: by its link
);
CREATE INDEX assigned_by_template ON assigned (template, experiment, variant);
