//! Events of a template.

use super::source::{Pins, Source};
use crate::values::{SenderKey, TemplateKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which senders may do what with it, besides administrators, who may everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// Those who may write drafts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editors: Vec<SenderKey>,
    /// Those who may publish, roll back and archive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publishers: Vec<SenderKey>,
    /// Those who may send it; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<SenderKey>,
}

impl Access {
    /// Whether a sender may do anything with it.
    pub fn concerns(&self, sender: &SenderKey) -> bool {
        self.users.is_empty() || [&self.users, &self.editors, &self.publishers].iter().any(|list| list.contains(sender))
    }
}

/// Was written, or written anew; nobody is sent this before it is published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateDrafted {
    /// Its key.
    pub key: TemplateKey,
    /// All of it.
    pub source: Source,
}

/// What was written last is from now on what is sent: a new version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplatePublished {
    /// Its key.
    pub key: TemplateKey,
    /// The version, from 1.
    pub version: u32,
    /// Which of the drafts it is, from 1.
    pub revision: u32,
    /// The versions of all layouts and partials that it rests on.
    #[serde(default, skip_serializing_if = "Pins::is_empty")]
    pub pins: Pins,
    /// The older version that it says again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restores: Option<u32>,
    /// Why, in the publisher's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// New requests for it are refused; what was accepted is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateArchived {
    /// Its key.
    pub key: TemplateKey,
}

/// It may be used again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateUnarchived {
    /// Its key.
    pub key: TemplateKey,
}

/// Who may do what with it was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateAccessSet {
    /// Its key.
    pub key: TemplateKey,
    /// Who may.
    pub access: Access,
}

crate::plain_bodies!(TemplateDrafted, TemplatePublished, TemplateArchived, TemplateUnarchived, TemplateAccessSet);
crate::events! {
    /// What can have happened to a template.
    TemplateEvent of Template { TemplateDrafted = 1, TemplatePublished = 1, TemplateArchived = 1, TemplateUnarchived = 1, TemplateAccessSet = 1 }
}
