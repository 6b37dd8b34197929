//! Simulators of the providers: FCM HTTP v1, APNs, an SMTP submission server, a webhook receiver, Twilio, a push
//! service of browsers, Slack, Vonage, SendGrid, Mailgun and KakaoTalk AlimTalk.
//!
//! They speak the real protocols on loopback, check requests as the real provider does, misbehave on demand, and
//! keep a ledger of what really arrived, so that "delivered once" can be checked from outside the server. What they
//! imitate is section 19 of the provider contracts. Rejected: mocks of our own provider port, which agree with
//! every mistake in our own client.
//!
//! # Addresses that ask for a behaviour
//!
//! `N` is a number and may be left out (1 then, unless said otherwise).
//!
//! | FCM token starts with | behaviour |
//! |---|---|
//! | `dead-` | 404 UNREGISTERED |
//! | `mismatch-` | 403 SENDER_ID_MISMATCH |
//! | `invalid-` | 400 INVALID_ARGUMENT, token format |
//! | `thirdparty-` | 401 THIRD_PARTY_AUTH_ERROR |
//! | `quota-`, `busyN-` | 429 QUOTA_EXCEEDED always (Retry-After 60); the first N times (Retry-After 1) |
//! | `flakyN-` | 503 UNAVAILABLE N times, then works |
//! | `internal-`, `internalN-`, `unavailable-` | 500 always or N times; 503 with Retry-After 10 |
//!
//! | APNs token starts with | behaviour |
//! |---|---|
//! | `dead00`, `dead01` | 410 Unregistered, ExpiredToken (timestamp now) |
//! | `bad000`, `bad001` | 400 BadDeviceToken, DeviceTokenNotForTopic |
//! | `f1a00N` | 503 ServiceUnavailable N times, then works |
//! | `429000`, `500000` | 429 TooManyRequests, 500 InternalServerError |
//! | `510000`, `4a4900` | answers after 2 s; never |
//! | `d60000`, `9057ed` | once: delivered but no answer; delivered but 503 |
//! | `c105e0`, `c105e1`, `60a3a0`, `6a5ba6` | once: connection closed, stream reset, GOAWAY, HTML |
//!
//! | mail local part (alone or before `+ - . _`) | behaviour |
//! |---|---|
//! | `bounce`, `nodomain`, `disabled` | 550 5.1.1, 550 5.1.2, 550 5.2.1 at RCPT |
//! | `full`, `quota` | 452 4.2.2, 552 5.2.2 at RCPT |
//! | `throttle`, `greylist` | 450 4.7.1 always; 451 4.7.1 once |
//! | `flakyN`, `shutdown` | 451 4.3.0 N times; 421 4.3.2 once and the session ends |
//! | `spam`, `unauthenticated`, `toolarge` | 550 5.7.1, 550 5.7.26, 552 5.3.4 at the final dot |
//! | `mail-CODE`, `rcpt-CODE`, `data-CODE`, `dot-CODE` | that code at that verb (`mail`: of the sender) |
//!
//! | webhook path starts with | behaviour |
//! |---|---|
//! | `/gone`, `/redirect` | 410; 302 to `/redirected` |
//! | `/flakyN/…` | 503 N times per path, then works |
//! | `/throttle`, `/busyN` | 429 with Retry-After 2 always; N times with Retry-After 1 |
//! | `/status/CODE` | that status |
//!
//! | word after `/push/` of a browser's endpoint | behaviour |
//! |---|---|
//! | `gone`, `missing`, `otherkey`, `toolarge` | 410, 404, 403, 413 |
//! | `throttle`, `busyN`, `flakyN` | as for webhooks |
//!
//! | word of the last segment of Slack's path | behaviour |
//! |---|---|
//! | `gone`, `archived`, `prohibited`, `invalid` | 404 no_service, 410 channel_is_archived, 403 action_prohibited, 400 invalid_payload |
//! | `throttle`, `busyN`, `flakyN` | as for webhooks; 500 rollup_error |
//!
//! | telephone number, two digits behind +1 500 557 | what is reported later |
//! |---|---|
//! | `01` | a text: 30003 or 2, not reached; a call: busy |
//! | `02` | a text: 30005 or 3, no such number; a call: failed with SIP 404 |
//! | `03` | a text: 30007 or 6, filtered; a call: no answer |
//! | `04` | nothing, ever |
//! | any other number | delivered |
//!
//! | mail local part, with SendGrid and Mailgun | what is reported later |
//! |---|---|
//! | `nouser`, `fullbox` | bounced with 5.1.1, with 5.2.2 |
//! | `complains`, `leaves` | delivered, then called spam, or unsubscribed |
//! | `opens`, `machine`, `clicks` | delivered, then opened, opened by a program, opened and a link followed |
//! | `silent` | nothing, ever |
//! | any other | delivered |
//!
//! | telephone number | behaviour with Twilio (Vonage and AlimTalk in their own words) |
//! |---|---|
//! | +15005550001, …03, …04, …09 | 21211 no number, 21408 country, 21610 STOP, 21614 no mobile |
//! | +150055601…, 02…, 03…, 04…, 05… | once: delivered but no answer; delivered but 503; closed; HTML; 200 with nothing |
//! | +150055606…, 07… | never answers; answers after 2 s |
//! | +150055608…, 09…, 10…, 11… | once: 429 with Retry-After 1, 503, wrong sender, wrong credentials |
//! | +150055612… | always refused as it is |
//!
//! | +15005550001, …03, …04, …09 with AlimTalk | -4019, 4, -1028, -4019 (NHN's results) |
//! | +15005550001, …03, …04, …09 with Twilio Voice | 21211 no number, 21215 country, 21216 blocked, 21214 not reachable |
//!
//! | mail local part, with SendGrid and Mailgun | behaviour |
//! |---|---|
//! | `bounce` | 400: the recipient is no address |
//! | `sender`, `key`, `toolarge`, `refused` | 403 the sender, 401, 413, 400 |
//! | `throttle`, `busyN`, `flakyN` | 429 with a wait of 2 s always, of 1 s N times; 503 N times |
//!
//! FCM tokens, mail local parts, paths of webhooks, browsers and Slack further know `slowMS` (2000), `dropN` (delivered, no answer),
//! `ghostN` (delivered, yet 503 or 451), `resetN` (closed before processing), `garbageN` (HTML), `emptyN` (nothing) and `hang`.
//!
//! # Administration
//!
//! `GET /_sim/ledger?after=&limit=` (NDJSON), `GET /_sim/counters`, `GET /_sim/messages?provider=&limit=`,
//! `GET|POST|DELETE /_sim/rules` (see [`Rule`]), `POST /_sim/clock {"offset_s"}`, `GET|POST /_sim/smtp`
//! (see [`SmtpSwitches`]), `POST /_sim/reset`, `GET /_sim/credentials`.

#![allow(clippy::disallowed_methods, reason = "simulators are programs of their own, with a clock of their own (`SimClock`) over the machine's")]

mod admin;
mod apns;
mod callbacks;
mod clock;
mod config;
mod credentials;
mod fault;
mod fcm;
mod form;
mod http;
mod kakao_talk;
mod ledger;
mod list;
mod mailgun;
mod messages;
/// The example of the guide.
#[cfg(test)]
mod pigeon;
mod rules;
mod running;
mod sendgrid;
mod signed_token;
mod slack;
mod smtp;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod twilio;
mod twilio_voice;
mod vonage;
mod web_push;
mod webhook;
mod world;

pub use clock::SimClock;
pub use config::{SimulatorError, SimulatorsConfig};
pub use credentials::{FCM_PROJECT, TestCredentials};
pub use ledger::{AllCounters, Counters, Ledger, LedgerEntry, Provider, Verdict};
pub use list::Places;
pub use messages::{Message, Messages};
pub use rules::{Action, MAX_RULES, Rule, Rules, SmtpStage};
pub use running::{RunningSimulators, start};
pub use smtp::SmtpSwitches;
pub(crate) use world::World;
