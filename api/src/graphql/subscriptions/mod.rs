//! What people want: switches, quiet hours, do not disturb, preferred channels; and the history of it.
//!
//! All of it is read from the log itself, so that an answer shows what the next decision rests on.

mod history;
mod hours;
mod import;
mod mutation;
mod object;
mod preferences;
mod scope;
mod settings;

pub use history::ConsentQuery;
pub use import::ImportMutation;
pub use mutation::SubscriptionMutation;
pub use object::SubscriptionQuery;
pub use preferences::PreferencesQuery;
pub use settings::SettingsMutation;
