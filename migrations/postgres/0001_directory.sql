-- <schema>_view_directory_<generation>: what administrators have set up.
CREATE TABLE categories (
    key              text COLLATE "C" PRIMARY KEY,
    name             text   NOT NULL,
    description      text   NOT NULL,
    required         bigint NOT NULL,
    default_channels text   NOT NULL,      -- JSON list of names
    priority         bigint NOT NULL,      -- 0 is the most urgent
    defined_at       bigint NOT NULL,      -- ms since the epoch, first time
    updated_position bigint NOT NULL
);

CREATE TABLE senders (
    key              text COLLATE "C" PRIMARY KEY,
    name             text   NOT NULL,
    registered_at    bigint NOT NULL,      -- ms since the epoch, first time
    updated_position bigint NOT NULL
);

CREATE TABLE api_keys (
    id               bytea  PRIMARY KEY,   -- 16 bytes
    name             text   NOT NULL,
    prefix           text COLLATE "C" NOT NULL,
    hash             text   NOT NULL,      -- keyed, hex; never the key
    role             text   NOT NULL,      -- JSON
    issued_at        bigint NOT NULL,      -- ms since the epoch
    expires_at       bigint,
    revoked_at       bigint,
    updated_position bigint NOT NULL
);
CREATE INDEX api_keys_by_prefix ON api_keys (prefix);
