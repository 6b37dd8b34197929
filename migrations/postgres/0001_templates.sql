-- <schema>_view_templates_<generation>: templates as they are found. What they say in full is in the log.
CREATE TABLE templates (
    key        text COLLATE "C" PRIMARY KEY,
    name       text   NOT NULL,            -- as written last
    names      text COLLATE "C" NOT NULL,  -- key, name and tags in lower case: what is found here comes first
    words      text COLLATE "C" NOT NULL,  -- these, the description and all texts in lower case, without markup
    revision   bigint NOT NULL,            -- how often it was written
    version    bigint NOT NULL,            -- what is sent; 0: nothing
    archived   bigint NOT NULL,            -- 1: new requests are refused
    access     text   NOT NULL,            -- JSON: which senders may do what
    updated_at bigint NOT NULL,            -- ms since the epoch
    position   bigint NOT NULL             -- of its last event
);
