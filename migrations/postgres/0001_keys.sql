-- One key for each recipient, wrapped by the master key. Deleting a row makes everything that it
-- sealed unreadable for ever. In a schema of its own, so that backups of the log can leave it out.
CREATE TABLE keys (
    subject uuid  PRIMARY KEY,
    wrapped bytea NOT NULL               -- nonce (12) ciphertext and tag
);
