//! The category's events, state and decisions.

use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Channel, Priority};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Was defined, or defined anew. Version 1 had no `default_channels`: it reached every channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryDefined {
    /// Its key.
    pub key: CategoryKey,
    /// Its name, for people.
    pub name: String,
    /// What it is about, for people.
    pub description: String,
    /// Security or legal: cannot be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
}

crate::plain_bodies!(CategoryDefined);
crate::events! {
    /// What can have happened to a category.
    CategoryEvent of Category { CategoryDefined = 2 }
}

/// A category as its events tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Whether it was defined.
    pub exists: bool,
    /// Its key.
    pub key: CategoryKey,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Whether it can be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
}

impl Default for Category {
    fn default() -> Self {
        Self {
            exists: false,
            key: CategoryKey::default(),
            name: String::new(),
            description: String::new(),
            required: false,
            default_channels: Channel::ALL.to_vec(),
            priority: Priority::Normal,
        }
    }
}

/// Define it, or define it anew.
#[derive(Debug, Clone)]
pub struct DefineCategory {
    /// Its key.
    pub key: CategoryKey,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Whether it can be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
}

/// Why a category says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CategoryRefusal {
    /// People have to recognise it.
    #[error("a category's name has 1 to 100 characters, its description at most 1000, without control characters")]
    Text,
    /// It could reach nobody.
    #[error("a category has at least one default channel")]
    NoChannels,
}

impl Aggregate for Category {
    type Command = DefineCategory;
    type Event = CategoryEvent;
    type Refusal = CategoryRefusal;

    fn decide(&self, command: DefineCategory) -> Result<Vec<CategoryEvent>, CategoryRefusal> {
        let DefineCategory { key, name, description, required, mut default_channels, priority } = command;
        let plain = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        if name.trim().is_empty() || !plain(&name, 100) || !plain(&description, 1_000) {
            return Err(CategoryRefusal::Text);
        }
        default_channels.sort();
        default_channels.dedup();
        if default_channels.is_empty() {
            return Err(CategoryRefusal::NoChannels);
        }
        let defined = Self {
            exists: true,
            key: key.clone(),
            name: name.clone(),
            description: description.clone(),
            required,
            default_channels: default_channels.clone(),
            priority,
        };
        if *self == defined {
            return Ok(Vec::new());
        }
        Ok(vec![CategoryEvent::CategoryDefined(CategoryDefined { key, name, description, required, default_channels, priority })])
    }

    fn evolve(&mut self, event: &CategoryEvent) {
        let CategoryEvent::CategoryDefined(e) = event;
        *self = Self {
            exists: true,
            key: e.key.clone(),
            name: e.name.clone(),
            description: e.description.clone(),
            required: e.required,
            default_channels: e.default_channels.clone(),
            priority: e.priority,
        };
    }
}
