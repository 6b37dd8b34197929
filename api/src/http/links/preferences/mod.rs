//! `/p/{token}`: all preferences of one person on one page.

mod asked;
mod view;

use super::form::Form;
use super::origin::Peer;
use super::problem::Problem;
use super::words::Language;
use super::{LinkPages, Visitor};
use asked::Asked;
use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use commands::accept::{category_stream, subscription_stream};
use commands::bus::Refused;
use commands::links::{Link, Purpose};
use domain::category::Category;
use domain::policy::deciding::zone_of;
use domain::recipient::Recipient;
use domain::subscription::{ChangedBy, Scope, SetSubscription, Source, Subscription, SubscriptionCommand, SubscriptionRefusal};
use projections::directory::CategoryRow;
use std::sync::Arc;
use view::{Listed, View};

/// Categories on one page; the rest is searched for.
const MOST: usize = 100;

/// What is looked for among the categories. Whatever else the address says is passed over.
fn looked_for(RawQuery(query): RawQuery) -> String {
    let query = query.unwrap_or_default();
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "q");
    found.map(|(_, text)| text.chars().take(100).collect()).unwrap_or_default()
}

/// Shows the preferences. Changes nothing.
pub(super) async fn show(
    State(pages): State<Arc<LinkPages>>,
    Path(token): Path<String>,
    search: RawQuery,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    let opened = async {
        let link = pages.admit(Purpose::Preferences, &token, &visitor)?;
        let person = pages.person(&link).await?;
        Ok::<_, Problem>((link, person))
    };
    match opened.await {
        Ok((link, person)) => answer(&pages, &link, &person, search, visitor.language(Some(&person)), None).await,
        Err(problem) => pages.style.problem(problem, visitor.language(None)),
    }
}

/// Saves what the form changes, all or nothing, and shows the preferences again.
pub(super) async fn change(
    State(pages): State<Arc<LinkPages>>,
    Path(token): Path<String>,
    search: RawQuery,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    let opened = async {
        let link = pages.admit(Purpose::Preferences, &token, &visitor)?;
        let person = pages.person(&link).await?;
        Ok::<_, Problem>((link, person))
    };
    let (link, person) = match opened.await {
        Ok(opened) => opened,
        Err(problem) => return pages.style.problem(problem, visitor.language(None)),
    };
    let language = visitor.language(Some(&person));
    let saved = async {
        let form = Form::read(&headers, body).await?;
        save(&pages, &link, Asked::of(&form)?, &visitor).await
    };
    match saved.await {
        Ok(changed) => answer(&pages, &link, &person, search, language, Some(changed)).await,
        Err(problem) => pages.style.problem(problem, language),
    }
}

async fn answer(pages: &LinkPages, link: &Link, person: &Recipient, search: RawQuery, language: Language, saved: Option<bool>) -> Response<Body> {
    let looked_for = looked_for(search);
    let wanted = looked_for.trim().to_lowercase();
    let fits = |category: &CategoryRow| {
        let texts = [category.name.as_str(), &category.description, category.key.as_str()];
        texts.iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let loaded = async {
        let subscription =
            pages.services.engine.bus.load::<Subscription>(subscription_stream(link.recipient)).await.map_err(|error| Problem::of_bus(&error))?;
        let mut categories = pages.services.directory.categories().await.map_err(|error| {
            tracing::warn!(%error, "the categories could not be read for a preference page");
            Problem::Unavailable
        })?;
        categories.retain(fits);
        let mut on = Vec::with_capacity(categories.len().min(MOST));
        for category in categories.iter().take(MOST) {
            on.push(match subscription.state.switches.get(&Scope::Category(category.key.clone())) {
                Some(chosen) => *chosen,
                None if category.required => true,
                // The read model does not tell the default.
                None => {
                    let loaded = pages.services.engine.bus.load::<Category>(category_stream(&category.key)).await;
                    loaded.map_err(|error| Problem::of_bus(&error))?.state.subscribed_by_default
                }
            });
        }
        Ok((subscription, categories, on))
    };
    let (subscription, categories, on) = match loaded.await {
        Ok(loaded) => loaded,
        Err(problem) => return pages.style.problem(problem, language),
    };
    let view = View {
        subscription: &subscription.state,
        categories: categories.iter().zip(on).map(|(category, on)| Listed { category, on }).collect(),
        more: categories.len().saturating_sub(MOST),
        zone: zone_of(person),
        now: pages.services.engine.clock.now(),
        search: &looked_for,
        saved,
    };
    pages.style.page(StatusCode::OK, language, language.words().preferences, &view.content(language))
}

/// Whether anything was changed.
async fn save(pages: &LinkPages, link: &Link, asked: Asked, visitor: &Visitor) -> Result<bool, Problem> {
    let engine = &pages.services.engine;
    let (by, source) = (ChangedBy::Recipient, Source::PreferencePage);
    let mut commands: Vec<SubscriptionCommand> = Vec::new();
    for (scope, subscribed) in asked.switches {
        let mut required = false;
        if let Scope::Category(key) = &scope {
            let category = engine.bus.load::<Category>(category_stream(key)).await.map_err(|error| Problem::of_bus(&error))?;
            if !category.state.exists {
                return Err(Problem::Form);
            }
            required = category.state.required;
        }
        commands.push(SetSubscription { recipient: link.recipient, scope, subscribed, by, source, evidence: visitor.evidence(), required }.into());
    }
    if let Some(quiet_hours) = asked.quiet_hours {
        let before = engine.bus.load::<Subscription>(subscription_stream(link.recipient)).await.map_err(|error| Problem::of_bus(&error))?;
        commands.push(SubscriptionCommand::SetQuietHours { quiet_hours, allowed: before.state.allowed.clone(), by, source });
    }
    if let Some(pause) = asked.do_not_disturb {
        let now = engine.clock.now();
        commands.push(SubscriptionCommand::SetDoNotDisturb { until: pause.map(|pause| now.saturating_add(pause)), now, by, source });
    }
    if let Some(channels) = asked.preferred {
        commands.push(SubscriptionCommand::SetPreferredChannels { channels, by, source });
    }
    if commands.is_empty() {
        return Ok(false);
    }
    match engine.bus.execute_for::<Subscription>(link.recipient, subscription_stream(link.recipient), &LinkPages::metadata(), commands).await {
        Ok(done) => {
            engine.barrier.settled(link.recipient).await;
            Ok(!done.recorded.is_empty())
        }
        Err(Refused::Refusal(SubscriptionRefusal::RequiredCategory)) => Err(Problem::Required),
        Err(Refused::Refusal(SubscriptionRefusal::TooManySwitches)) => Err(Problem::TooManySwitches),
        Err(Refused::Refusal(SubscriptionRefusal::NeverAllowed)) => Err(Problem::QuietHours),
        Err(Refused::Refusal(_)) => Err(Problem::Form),
        Err(error) => Err(Problem::of_bus(&error)),
    }
}
