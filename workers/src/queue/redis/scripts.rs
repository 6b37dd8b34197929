//! The scripts that Redis runs: each changes what it must at once, on the keys of one route.

use redis::Cmd;

/// A script in Lua.
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(body: &str) -> Self {
        let text = format!("{}{body}", include_str!("scripts/common.lua"));
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
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

/// All of them.
pub(super) struct Scripts {
    pub(super) offer: Script,
    pub(super) take: Script,
    pub(super) give_back: Script,
    pub(super) ripen: Script,
    pub(super) settle: Script,
    pub(super) room: Script,
    pub(super) depths: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            offer: Script::new(include_str!("scripts/offer.lua")),
            take: Script::new(include_str!("scripts/take.lua")),
            give_back: Script::new(include_str!("scripts/give_back.lua")),
            settle: Script::new(include_str!("scripts/settle.lua")),
            ripen: Script::new(include_str!("scripts/ripen.lua")),
            room: Script::new(include_str!("scripts/room.lua")),
            depths: Script::new(include_str!("scripts/depths.lua")),
        }
    }
}
