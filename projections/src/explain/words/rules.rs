//! Each rule as a clause that can follow a colon. The match is exhaustive: a new rule has to say
//! what it means before it compiles.

use domain::subscription::{ChangedBy, Source};
use domain::values::Rule;

/// Why, by this rule.
pub(in crate::explain) const fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::DefaultOptIn => "the category reaches everybody who has not opted out",
        Rule::RequiredCategory => "the category is required, so opt-outs of categories do not apply",
        Rule::OptedOutOfAll => "the recipient switched everything off",
        Rule::OptedOutOfChannel => "the recipient switched this channel off",
        Rule::OptedOutOfCategory => "the recipient switched this category off",
        Rule::NoAddress => "the recipient has no address there",
        Rule::NoChannel => "none of the channels can be used",
        Rule::AddressRemoved => "the address was removed before the call",
        Rule::RecipientErased => "the recipient was erased",
        Rule::Expired => "it was too late to be worth sending",
        Rule::OptedIn => "the recipient asked for this category",
        Rule::OptedOutOfCategoryChannel => "the recipient switched this category off on this channel",
        Rule::OptedOutOfTopic => "the recipient switched this topic off",
        Rule::OptedOutOfDevice => "the recipient switched this device off",
        Rule::NotOptedIn => "the category reaches those only who asked for it, and the recipient has not",
        Rule::AddressSuppressed => "the address is on the suppression list, so nothing goes there",
        Rule::QuietHours => "it is within the recipient's quiet hours",
        Rule::OutsideAllowedWindow => "it is outside of the hours in which the recipient allows notifications",
        Rule::DoNotDisturb => "the recipient is not to be disturbed",
        Rule::OverLimit => "a limit on how many the recipient gets is used up",
        Rule::DuplicateContent => "the recipient was told the same within the category's dedup window",
        Rule::NotBefore => "the sender asked for a later moment",
        Rule::Digested => "the category collects its notifications into a digest",
        Rule::AlreadySeen => "it had been seen",
        Rule::AlreadyRead => "it had been read",
        Rule::StepDelivered => "the step before was delivered",
        Rule::Cancelled => "the sender took it back",
        Rule::CountryNotAllowed => "the configuration does not allow this channel to the number's country",
        Rule::OverCountryCap => "as many as are allowed in an hour went to the number's country",
        Rule::OverRangeCap => "as many as are allowed in an hour went to the numbers beside it",
        Rule::NoProvider => "no provider of the channel serves this sender and this country",
        Rule::ProvidersBusy => "none of the providers that may send it could take it",
    }
}

/// Who changed a preference, as data.
pub(in crate::explain) const fn by_name(by: ChangedBy) -> &'static str {
    match by {
        ChangedBy::Recipient => "recipient",
        ChangedBy::Sender => "sender",
        ChangedBy::Administrator => "administrator",
        ChangedBy::Import => "import",
    }
}

/// Who changed a preference.
pub(in crate::explain) const fn by_words(by: ChangedBy) -> &'static str {
    match by {
        ChangedBy::Recipient => "by the recipient",
        ChangedBy::Sender => "by a sender on the recipient's behalf",
        ChangedBy::Administrator => "by an administrator",
        ChangedBy::Import => "by a bulk import",
    }
}

/// By which way, as data: the same names as in the events.
pub(in crate::explain) const fn source_name(source: Source) -> &'static str {
    match source {
        Source::Api => "api",
        Source::UnsubscribeLink => "unsubscribe_link",
        Source::OneClick => "one_click",
        Source::PreferencePage => "preference_page",
        Source::SmsStop => "sms_stop",
        Source::Complaint => "complaint",
        Source::Import => "import",
    }
}

/// By which way.
pub(in crate::explain) const fn source_words(source: Source) -> &'static str {
    match source {
        Source::Api => "over the API",
        Source::UnsubscribeLink => "on the page behind a link in a notification",
        Source::OneClick => "with the mail program's unsubscribe button",
        Source::PreferencePage => "on the preference page",
        Source::SmsStop => "by STOP or START in an SMS",
        Source::Complaint => "with a complaint to the mail provider",
        Source::Import => "in an import of consents",
    }
}
