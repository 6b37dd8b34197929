//! A script in Lua, which Redis runs at once and alone.

use redis::Cmd;

/// See the module.
#[derive(Debug, Clone)]
pub struct Script {
    text: String,
    hash: String,
}

impl Script {
    /// From its text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), hash: redis::Script::new(text).get_hash().to_owned() }
    }

    /// Calls what Redis has seen before.
    pub(super) fn by_hash(&self, base: &str) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&self.hash).arg(1).arg(base);
        command
    }

    /// Calls what it has not.
    pub(super) fn by_text(&self, base: &str) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(&self.text).arg(1).arg(base);
        command
    }
}
