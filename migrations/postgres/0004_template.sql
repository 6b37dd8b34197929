-- The key of the template that it is made from; NULL where it is made from none, or was read in before this column was
-- there: a rebuild of the read model fills it.
ALTER TABLE notifications ADD COLUMN template text;
