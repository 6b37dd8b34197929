//! The digest's state and its decisions.

use super::events::{DigestClosed, DigestEvent, DigestItemAdded, DigestItemRemoved, DigestOpened, TemplateUnused};
use crate::aggregate::Aggregate;
use crate::calendar::{LocalTime, TimeZone};
use crate::values::{CategoryKey, DigestSettings, DigestWindow, Millis, NotificationId, RecipientId, SenderKey};
use serde::{Deserialize, Serialize};

/// The window that collects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWindow {
    /// When it was opened.
    pub opened_at: Millis,
    /// When it closes.
    pub closes_at: Millis,
    /// When it closes at the latest.
    pub latest: Option<Millis>,
    /// Items that the summary lists.
    pub max_items: u16,
    /// The items that will be listed.
    pub items: Vec<NotificationId>,
    /// Further ones.
    pub more: u32,
}

/// A digest as its events tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// For whom.
    pub recipient: RecipientId,
    /// Of which category.
    pub category: CategoryKey,
    /// Whose.
    pub sender: SenderKey,
    /// Of requests with a sandbox key.
    pub sandbox: bool,
    /// Number of the open or the last window; 0 before the first.
    pub window: u32,
    /// The window that collects.
    pub open: Option<OpenWindow>,
}

/// Collect a notification.
#[derive(Debug, Clone)]
pub struct AddItem {
    /// For whom.
    pub recipient: RecipientId,
    /// Of which category.
    pub category: CategoryKey,
    /// Whose.
    pub sender: SenderKey,
    /// Of a request with a sandbox key.
    pub sandbox: bool,
    /// The notification.
    pub notification: NotificationId,
    /// How the category's digests are made.
    pub settings: DigestSettings,
    /// The recipient's zone.
    pub zone: TimeZone,
    /// Now.
    pub now: Millis,
}

/// What can be asked of a digest.
#[derive(Debug, Clone)]
pub enum DigestCommand {
    /// Collect a notification. Opens a window where none is open.
    Add(Box<AddItem>),
    /// Let a notification go. Asks for nothing where that window is closed.
    Remove {
        /// The window that collected it.
        window: u32,
        /// The notification.
        notification: NotificationId,
    },
    /// Close a window. Asks for nothing where it is not open, or not due.
    Close {
        /// The window.
        window: u32,
        /// The id that its summary has or would have.
        summary: NotificationId,
        /// Of its items, those that the recipient does not want any more: the summary is silent on them.
        unwanted: Vec<NotificationId>,
        /// The template that could not say the summary.
        template_unused: Option<TemplateUnused>,
        /// Now.
        now: Millis,
    },
}

/// A digest never says no; the type exists because every aggregate has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestRefusal {}

impl Digest {
    /// The window that an item would be collected in now.
    pub fn collecting_window(&self) -> u32 {
        if self.open.is_some() { self.window } else { self.window.saturating_add(1) }
    }

    /// Whether the window is open.
    pub fn is_open(&self, window: u32) -> bool {
        self.window == window && self.open.is_some()
    }

    fn add(&self, add: AddItem) -> Vec<DigestEvent> {
        let AddItem { recipient, category, sender, sandbox, notification, settings, zone, now } = add;
        if let Some(open) = &self.open {
            if open.items.contains(&notification) {
                return Vec::new();
            }
            let put_off = match settings.window {
                DigestWindow::Sliding { millis, .. } => open.latest.map(|latest| now.saturating_add(millis).min(latest)),
                DigestWindow::Fixed { .. } | DigestWindow::Until { .. } => None,
            };
            // What is due stays due: a late item joins it, and holds up nobody.
            let closes_at = put_off.filter(|at| *at > open.closes_at && open.closes_at > now);
            return vec![DigestEvent::DigestItemAdded(DigestItemAdded { window: self.window, notification, closes_at })];
        }
        let window = self.collecting_window();
        let (closes_at, latest) = match settings.window {
            DigestWindow::Fixed { millis } => (now.saturating_add(millis), None),
            DigestWindow::Sliding { millis, at_most } => (now.saturating_add(millis.min(at_most)), Some(now.saturating_add(at_most))),
            DigestWindow::Until { local_time } => (LocalTime::next_at(now, zone, local_time), None),
        };
        let opened = DigestOpened { recipient, category, sender, sandbox, window, opened_at: now, closes_at, latest, max_items: settings.max_items };
        vec![DigestEvent::DigestOpened(opened), DigestEvent::DigestItemAdded(DigestItemAdded { window, notification, closes_at: None })]
    }
}

impl Aggregate for Digest {
    type Command = DigestCommand;
    type Event = DigestEvent;
    type Refusal = DigestRefusal;

    fn decide(&self, command: DigestCommand) -> Result<Vec<DigestEvent>, DigestRefusal> {
        Ok(match (command, &self.open) {
            (DigestCommand::Add(add), _) => self.add(*add),
            (DigestCommand::Remove { window, notification }, Some(open)) if window == self.window && (open.items.contains(&notification) || open.more > 0) => {
                vec![DigestEvent::DigestItemRemoved(DigestItemRemoved { window, notification })]
            }
            (DigestCommand::Close { window, summary, unwanted, template_unused, now }, Some(open)) if window == self.window && open.closes_at <= now => {
                let items: Vec<_> = open.items.iter().copied().filter(|item| !unwanted.contains(item)).collect();
                let empty = items.is_empty() && open.more == 0;
                let closed =
                    DigestClosed { window, summary: (!empty).then_some(summary), items, more: open.more, template_unused: template_unused.filter(|_| !empty) };
                vec![DigestEvent::DigestClosed(closed)]
            }
            (DigestCommand::Remove { .. } | DigestCommand::Close { .. }, _) => Vec::new(),
        })
    }

    fn evolve(&mut self, event: &DigestEvent) {
        match event {
            DigestEvent::DigestOpened(e) => {
                *self = Self {
                    recipient: e.recipient,
                    category: e.category.clone(),
                    sender: e.sender.clone(),
                    sandbox: e.sandbox,
                    window: e.window,
                    open: Some(OpenWindow {
                        opened_at: e.opened_at,
                        closes_at: e.closes_at,
                        latest: e.latest,
                        max_items: e.max_items,
                        items: Vec::new(),
                        more: 0,
                    }),
                };
            }
            DigestEvent::DigestItemAdded(e) => {
                if let Some(open) = &mut self.open {
                    if open.items.len() < usize::from(open.max_items) {
                        open.items.push(e.notification);
                    } else {
                        open.more = open.more.saturating_add(1);
                    }
                    open.closes_at = e.closes_at.unwrap_or(open.closes_at);
                }
            }
            DigestEvent::DigestItemRemoved(e) => {
                if let Some(open) = &mut self.open {
                    let before = open.items.len();
                    open.items.retain(|item| *item != e.notification);
                    if open.items.len() == before {
                        open.more = open.more.saturating_sub(1);
                    }
                }
            }
            DigestEvent::DigestClosed(_) => self.open = None,
        }
    }
}
