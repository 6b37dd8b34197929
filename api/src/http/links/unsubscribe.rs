//! `/u/{token}`: what may be switched off by the link of a mail, and taken back by it.

use super::form::Form;
use super::origin::Peer;
use super::page::{choice, escape};
use super::problem::Problem;
use super::words::Language;
use super::{LinkPages, Visitor};
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use commands::accept::{category_stream, subscription_stream};
use commands::bus::Refused;
use commands::links::{Link, Purpose};
use commands::log::Metadata;
use domain::category::Category;
use domain::recipient::Recipient;
use domain::subscription::{ChangedBy, Scope, SetSubscription, Source, Subscription, SubscriptionRefusal};
use domain::values::Channel;
use std::sync::Arc;

/// Shows what is so, and what can be done. Changes nothing.
pub(super) async fn show(State(pages): State<Arc<LinkPages>>, Path(token): Path<String>, peer: Option<Extension<Peer>>, headers: HeaderMap) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    let opened = async {
        let link = pages.admit(Purpose::Unsubscribe, &token, &visitor)?;
        let person = pages.person(&link).await?;
        Ok::<_, Problem>((View::of(&pages, &link).await?, person))
    };
    match opened.await {
        Ok((view, person)) => view.page(&pages, visitor.language(Some(&person)), None),
        Err(problem) => pages.style.problem(problem, visitor.language(None)),
    }
}

/// Switches off, or on again.
pub(super) async fn change(
    State(pages): State<Arc<LinkPages>>,
    Path(token): Path<String>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    body: Body,
) -> Response<Body> {
    let visitor = Visitor::of(&pages, &headers, peer.map(|Extension(peer)| peer));
    let link = match pages.admit(Purpose::Unsubscribe, &token, &visitor) {
        Ok(link) => link,
        Err(problem) => return pages.style.problem(problem, visitor.language(None)),
    };
    let form = match Form::read(&headers, body).await {
        Ok(form) => form,
        Err(problem) => return pages.style.problem(problem, visitor.language(None)),
    };
    if form.is_one_click() {
        let wish = Wish { all: link.category.is_none(), subscribed: false };
        return match carry_out(&pages, &link, wish, Source::OneClick, &visitor).await {
            // Of somebody who is not known any more, nothing is sent: that is what was wanted.
            Ok(_) | Err(Problem::Gone) => pages.style.plain("unsubscribed"),
            Err(problem) => pages.style.plain_problem(problem),
        };
    }
    let changed = async {
        let wish = Wish::of(&form, &link)?;
        let person = carry_out(&pages, &link, wish, Source::UnsubscribeLink, &visitor).await?;
        Ok::<_, Problem>((View::of(&pages, &link).await?, person, wish))
    };
    match changed.await {
        Ok((view, person, wish)) => view.page(&pages, visitor.language(Some(&person)), Some(wish)),
        Err(problem) => pages.style.problem(problem, visitor.language(None)),
    }
}

/// What the page's form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    /// Everything, not only the link's category.
    all: bool,
    subscribed: bool,
}

impl Wish {
    fn of(form: &Form, link: &Link) -> Result<Self, Problem> {
        let subscribed = match form.get("action") {
            Some("unsubscribe") => false,
            Some("resubscribe") => true,
            _ => return Err(Problem::Form),
        };
        let all = match form.get("scope") {
            Some("all") => true,
            Some("category") if link.category.is_some() => false,
            _ => return Err(Problem::Form),
        };
        Ok(Self { all, subscribed })
    }
}

async fn carry_out(pages: &LinkPages, link: &Link, wish: Wish, source: Source, visitor: &Visitor) -> Result<Arc<Recipient>, Problem> {
    let person = pages.person(link).await?;
    let engine = &pages.services.engine;
    let (scope, required) = match &link.category {
        Some(key) if !wish.all => {
            let category = engine.bus.load::<Category>(category_stream(key)).await.map_err(|error| Problem::of_bus(&error))?;
            (Scope::Category(key.clone()), category.state.required)
        }
        _ => (Scope::All, false),
    };
    let command = SetSubscription {
        recipient: link.recipient,
        scope,
        subscribed: wish.subscribed,
        by: ChangedBy::Recipient,
        source,
        evidence: visitor.evidence(),
        required,
    };
    // Which notification made them leave is worth knowing.
    let metadata = Metadata { correlation: link.notification.map(|id| id.to_string()), ..LinkPages::metadata().as_ref().clone() };
    match engine.bus.execute_for::<Subscription>(link.recipient, subscription_stream(link.recipient), &Arc::new(metadata), vec![command.into()]).await {
        Ok(_) => {}
        Err(Refused::Refusal(SubscriptionRefusal::RequiredCategory)) => return Err(Problem::Required),
        Err(Refused::Refusal(SubscriptionRefusal::TooManySwitches)) => return Err(Problem::TooManySwitches),
        Err(error) => return Err(Problem::of_bus(&error)),
    }
    if !wish.subscribed {
        // As by the API: once this is answered, no call that it forbids begins any more.
        engine.barrier.settled(link.recipient).await;
    }
    Ok(person)
}

/// How things are for the link's category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Now {
    Required,
    On,
    Off,
    AllOff,
}

struct View {
    /// The category's name; none where the link is for everything.
    name: Option<String>,
    description: String,
    now: Now,
}

impl View {
    async fn of(pages: &LinkPages, link: &Link) -> Result<Self, Problem> {
        let bus = &pages.services.engine.bus;
        let subscription = bus.load::<Subscription>(subscription_stream(link.recipient)).await.map_err(|error| Problem::of_bus(&error))?;
        let choice = |scope: &Scope| subscription.state.switches.get(scope).copied();
        let all_off = choice(&Scope::All) == Some(false);
        let Some(key) = &link.category else {
            return Ok(Self { name: None, description: String::new(), now: if all_off { Now::AllOff } else { Now::On } });
        };
        let category = bus.load::<Category>(category_stream(key)).await.map_err(|error| Problem::of_bus(&error))?.state;
        // The link came by mail, and the switch of a category's mails stands before that of the category.
        let mails = Scope::CategoryChannel { category: key.clone(), channel: Channel::Email };
        let on = choice(&mails).or_else(|| choice(&Scope::Category(key.clone()))).unwrap_or(category.subscribed_by_default);
        let now = match (category.required, all_off, on) {
            (true, _, _) => Now::Required,
            (_, true, _) => Now::AllOff,
            (_, _, false) => Now::Off,
            (_, _, true) => Now::On,
        };
        Ok(Self { name: Some(category.name.clone()), description: category.description.clone(), now })
    }

    fn page(&self, pages: &LinkPages, language: Language, done: Option<Wish>) -> Response<Body> {
        pages.style.page(StatusCode::OK, language, language.words().unsubscribe, &self.content(language, done))
    }

    fn content(&self, language: Language, done: Option<Wish>) -> String {
        let words = language.words();
        let name = self.name.as_deref().unwrap_or_default();
        let named = |text: &str| escape(&text.replace("{}", name));
        let mut html = String::new();
        if let Some(done) = done {
            let text = match (done.subscribed, done.all) {
                (false, false) => words.done,
                (false, true) => words.done_all,
                (true, false) => words.undone,
                (true, true) => words.undone_all,
            };
            html.push_str(&format!("<p role=\"status\">{}</p>\n", named(text)));
        }
        match self.now {
            Now::Off | Now::AllOff => {
                let (text, scope) = if self.now == Now::AllOff { (words.is_off_all, "all") } else { (words.is_off, "category") };
                if done.is_none_or(|done| done.subscribed) {
                    html.push_str(&format!("<p>{}</p>\n", named(text)));
                }
                html.push_str(&format!(
                    "<form method=\"post\">\n<input type=\"hidden\" name=\"scope\" value=\"{scope}\">\n\
                     <button class=\"quiet\" name=\"action\" value=\"resubscribe\">{}</button>\n</form>\n",
                    escape(words.undo)
                ));
            }
            Now::On | Now::Required => {
                let category = self.name.is_some() && self.now == Now::On;
                let text = match (self.now, category) {
                    (Now::Required, _) => words.required,
                    (_, true) => words.question,
                    (_, false) => words.question_all,
                };
                html.push_str(&format!("<p>{}</p>\n", named(text)));
                if !self.description.is_empty() {
                    html.push_str(&format!("<p><small>{}</small></p>\n", escape(&self.description)));
                }
                html.push_str("<form method=\"post\">\n<fieldset>\n");
                html.push_str(&format!("<legend>{}</legend>\n", escape(if self.now == Now::Required { words.everything_else } else { words.unsubscribe })));
                if category {
                    choice(&mut html, "radio", "scope", "category", true, &words.this_category.replace("{}", name), "");
                }
                choice(&mut html, "radio", "scope", "all", !category, words.everything, "");
                html.push_str(&format!("</fieldset>\n<button name=\"action\" value=\"unsubscribe\">{}</button>\n</form>\n", escape(words.unsubscribe)));
            }
        }
        html
    }
}
