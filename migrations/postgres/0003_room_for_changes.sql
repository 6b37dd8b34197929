-- A row is changed once or twice after it was written (sent, read): room in its page keeps its indexes out of that.
ALTER TABLE notifications SET (fillfactor = 80);
