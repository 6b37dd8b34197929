-- keys.db: one key for each recipient, wrapped by the master key. Deleting a row makes
-- everything that it sealed unreadable for ever.
CREATE TABLE keys (
    subject BLOB PRIMARY KEY,          -- 16 bytes
    wrapped BLOB NOT NULL              -- nonce (12) ciphertext and tag
) WITHOUT ROWID;
