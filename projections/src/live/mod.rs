//! Live feed.
