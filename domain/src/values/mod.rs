//! The words that aggregates, policies and adapters share; one file each.

mod attachment;
mod channel;
mod content;
mod country;
mod digest;
mod ids;
mod json;
mod limit;
mod locale;
mod money;
mod origin;
mod outcome;
mod phone;
mod plan;
mod priority;
mod reason;
pub mod segments;
mod sent_from;
#[cfg(test)]
mod tests;
mod text;

pub use attachment::{Attachment, AttachmentError, AttachmentId, MAX_ATTACHMENTS, check_content_type, check_file_name};
pub use channel::Channel;
pub use content::{Content, ContentError, MAX_NOTIFICATION_BYTES};
pub use country::Country;
pub use digest::{DigestError, DigestSettings, DigestWindow};
pub use ids::{AddressId, DeliveryNo, DigestId, KeyId, NotificationId, RecipientId, ScheduleId};
pub use json::{MAX_JSON_LEVELS, json_levels};
pub use limit::{Limit, LimitError, LimitWindow, MAX_LIMITS, check_limits};
pub use locale::{Locale, LocaleError};
pub use money::{Money, Prices, TextCost};
pub use origin::Origin;
pub use outcome::{BadAddress, Misconfigured, Outcome, ThrottleScope};
pub use phone::{PhoneError, PhoneNumber};
pub use plan::{ChannelPlan, MAX_STEPS, NextStep, NextWhen, PlanError, PlanStep};
pub use priority::Priority;
pub use reason::{FactVersions, Rule};
pub use sent_from::{MailAuthor, SentAs, SentFrom, SentFromError};
pub use text::{CategoryKey, SenderKey, TemplateKey, TextError, TopicKey};

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = i64;

/// A day.
pub const DAY_MS: Millis = 86_400_000;
