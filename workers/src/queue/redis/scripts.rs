//! The scripts that Redis runs: each changes what it must at once, on the keys of one route.

use crate::redis::Script;

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
            offer: script(include_str!("scripts/offer.lua")),
            take: script(include_str!("scripts/take.lua")),
            give_back: script(include_str!("scripts/give_back.lua")),
            settle: script(include_str!("scripts/settle.lua")),
            ripen: script(include_str!("scripts/ripen.lua")),
            room: script(include_str!("scripts/room.lua")),
            depths: script(include_str!("scripts/depths.lua")),
        }
    }
}

fn script(body: &str) -> Script {
    Script::new(&format!("{}{body}", include_str!("scripts/common.lua")))
}
