//! Finding what was asked for, by what the read model knows and by the words of titles.
//!
//! Titles are personal and sealed with a key of their recipient's, so no read model holds them: what a page might list
//! is opened and looked at one by one, a bounded number for each page, and the cursor says how far that came. Rejected:
//! an index of titles, which would be their plain text beside the log and outlive an erasure; and keyed hashes of
//! words, which find no part of a word (most Korean ones), tell how often a word occurs, and cost every notification an index.

use crate::auth::Caller;
use crate::graphql::context::{principal, services};
use crate::graphql::error::{failure, log_error, read_error};
use crate::graphql::position::Position;
use async_graphql::{Context, InputObject, Result};
use chrono::{DateTime, Utc};
use commands::log::LogError;
use domain::Fact;
use domain::notification::{NotificationEvent, Requested};
use domain::values::{CategoryKey, SenderKey, TemplateKey};
use projections::notifications::{DeliveryStatus, NotificationRow, Search, SearchPage};
use std::collections::HashMap;

/// Rows that are looked at in one go where more than the read model's own words decides.
const AT_ONCE: usize = 100;
/// How often that is done for one page.
const ROUNDS: usize = 10;
/// Most words of a title that are looked for.
const MOST_WORDS: usize = 8;

/// Which notifications.
#[derive(InputObject)]
pub struct NotificationFilter {
    /// Your id of the recipient.
    recipient: Option<String>,
    /// Key of the category.
    category: Option<String>,
    /// Key of the template that it is made from, in whatever version.
    template: Option<String>,
    /// Key of the sender; with a sender's key only its own are meant in any case.
    sender: Option<String>,
    /// Where it stands, as `Notification.status` says it.
    status: Option<String>,
    /// Words of its title as the app shows it, in any order, in upper or lower case; a part of a word finds too. Not
    /// without `recipient`, or `requestedAfter` and `category` or `template`: titles are opened one by one.
    title_words: Option<String>,
    /// Accepted at this moment or later.
    requested_after: Option<DateTime<Utc>>,
    /// Accepted before this moment.
    requested_before: Option<DateTime<Utc>>,
}

impl NotificationFilter {
    /// Whether it means everything.
    pub const fn is_empty(&self) -> bool {
        self.recipient.is_none()
            && self.category.is_none()
            && self.template.is_none()
            && self.sender.is_none()
            && self.status.is_none()
            && self.title_words.is_none()
            && self.requested_after.is_none()
            && self.requested_before.is_none()
    }

    /// What looking for it may take beside what is found, in the measure of a query's complexity.
    pub const fn cost(&self) -> usize {
        if self.title_words.is_some() {
            2_000
        } else if self.status.is_some() {
            200
        } else {
            0
        }
    }

    /// The words of titles, in lower case; none where titles make no difference.
    fn words(&self) -> Result<Vec<String>> {
        let words: Vec<String> = self.title_words.iter().flat_map(|words| words.split_whitespace()).map(str::to_lowercase).collect();
        let bounded = self.recipient.is_some() || (self.requested_after.is_some() && (self.category.is_some() || self.template.is_some()));
        if self.title_words.is_some() && words.is_empty() || words.len() > MOST_WORDS {
            return Err(failure("BAD_USER_INPUT", format!("`titleWords` has 1 to {MOST_WORDS} words.")));
        }
        if !words.is_empty() && !bounded {
            let hint = "`titleWords` opens titles one by one: name the `recipient` too, or `requestedAfter` with a `category` or a `template`.";
            return Err(failure("BAD_USER_INPUT", hint));
        }
        Ok(words)
    }

    /// What of it the read model knows, for a caller who may look for it; none where nothing can be found.
    fn search(&self, ctx: &Context<'_>) -> Result<Option<Search>> {
        let engine = &services(ctx)?.engine;
        // What is no key is nobody's.
        let (category, template, sender) = (self.category.as_deref(), self.template.as_deref(), self.sender.as_deref());
        let (Ok(category), Ok(template), Ok(mut sender)) =
            (category.map(CategoryKey::new).transpose(), template.map(TemplateKey::new).transpose(), sender.map(SenderKey::new).transpose())
        else {
            return Ok(None);
        };
        let mut own_sandbox = None;
        if let Caller::Sender { sender: own, sandbox, .. } = principal(ctx)?.caller.as_ref() {
            if sender.as_ref().is_some_and(|named| named != own) {
                return Ok(None);
            }
            sender = Some(own.clone());
            own_sandbox = Some(*sandbox);
        }
        Ok(Some(Search {
            recipient: self.recipient.as_deref().map(|name| engine.hashing.recipient(name)),
            sender,
            category,
            template,
            sandbox: own_sandbox,
            requested_from: self.requested_after.map(|at| at.timestamp_millis()),
            requested_before: self.requested_before.map(|at| at.timestamp_millis()),
        }))
    }
}

/// A page of what a caller may find; it may be short, with more to come.
pub async fn found(ctx: &Context<'_>, filter: &NotificationFilter, after: Option<Position>, first: i32, most: usize) -> Result<SearchPage> {
    let first = usize::try_from(first).ok().filter(|first| (1..=most).contains(first));
    let first = first.ok_or_else(|| failure("BAD_USER_INPUT", format!("Ask for 1 to {most} at once.")))?;
    let (words, after) = (filter.words()?, after.map_or(0, |after| after.0));
    let Some(search) = filter.search(ctx)? else { return Ok(SearchPage::default()) };
    let notifications = &services(ctx)?.notifications;
    if words.is_empty() && filter.status.is_none() {
        return notifications.search(search, after, first).await.map_err(read_error);
    }
    let mut page = SearchPage { rows: Vec::new(), next: Some(after) };
    for _ in 0..ROUNDS {
        let Some(at) = page.next else { break };
        let looked_at = notifications.search(search.clone(), at, AT_ONCE).await.map_err(read_error)?;
        let mut rows = looked_at.rows;
        rows.retain(|row| filter.status.as_ref().is_none_or(|wanted| wanted == shown(row)));
        let titles = if words.is_empty() { HashMap::new() } else { titles(ctx, &rows).await? };
        rows.retain(|row| {
            let title = titles.get(&row.requested_position);
            words.iter().all(|word| title.is_some_and(|title| title.contains(word)))
        });
        page.next = looked_at.next;
        for row in rows {
            if page.rows.len() == first {
                page.next = page.rows.last().map(|last| last.number);
                return Ok(page);
            }
            page.rows.push(row);
        }
        if page.rows.len() == first {
            break;
        }
    }
    Ok(page)
}

/// Its status as the notification itself tells it.
fn shown(row: &NotificationRow) -> &'static str {
    let any = |wanted: fn(DeliveryStatus) -> bool| row.deliveries.iter().any(|delivery| wanted(delivery.status));
    if let Some(whole) = row.whole {
        whole.name()
    } else if any(DeliveryStatus::is_pending) {
        "pending"
    } else if any(|status| status == DeliveryStatus::DeadLettered) {
        "dead_lettered"
    } else if any(|status| matches!(status, DeliveryStatus::Sent | DeliveryStatus::Delivered)) {
        "sent"
    } else {
        row.deliveries.first().map_or("suppressed", |delivery| delivery.status.name())
    }
}

/// The titles in lower case, by the positions of the requests; of whoever was erased there are none.
async fn titles(ctx: &Context<'_>, rows: &[NotificationRow]) -> Result<HashMap<u64, String>> {
    let templates = &services(ctx)?.engine.templates;
    let requests = requests(ctx, rows).await?;
    let mut titles = HashMap::with_capacity(rows.len());
    for row in rows {
        let Some(requested) = requests.get(&row.requested_position) else { continue };
        // Made from a template, each is work enough to let others have their turn.
        tokio::task::yield_now().await;
        let content = templates.shown(requested, row.deliveries.iter().map(|delivery| delivery.channel)).await.map_err(log_error)?;
        if let Some(title) = content.and_then(std::result::Result::ok).and_then(|content| content.title) {
            titles.insert(row.requested_position, title.to_lowercase());
        }
    }
    Ok(titles)
}

/// What was asked for, as far as it can be read.
async fn requests(ctx: &Context<'_>, rows: &[NotificationRow]) -> Result<HashMap<u64, Requested>> {
    let log = &services(ctx)?.engine.log;
    let mut positions: Vec<u64> = rows.iter().map(|row| row.requested_position).collect();
    let events = loop {
        match log.bare_at(positions.clone(), true).await {
            Ok(events) => break events,
            // One that nobody can read keeps no other from being found.
            Err(LogError::Poison { position, .. }) if positions.contains(&position) => positions.retain(|other| *other != position),
            Err(error) => return Err(log_error(error)),
        }
    };
    let request = |event: commands::log::Bare| match event.fact {
        Fact::Notification(NotificationEvent::Requested(requested)) => Some((event.position, requested)),
        _ => None,
    };
    Ok(events.into_iter().filter_map(request).collect())
}
