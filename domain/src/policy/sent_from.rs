//! Whom a message comes from: what its category says, else its sender, else nothing, which leaves it to the
//! provider's own setting.
//!
//! Guarantee: nothing is chosen that the configuration does not allow the provider that makes the attempt.
//! Rejected: to let whatever an administrator of categories writes go out; an address that a provider has not
//! verified gets the whole account blocked, and one of somebody else's is a forgery.

use crate::values::{Channel, SentAs, SentFrom};

/// What a message of this category and sender comes from over a channel, by a provider that may also send
/// from these.
pub fn sent_as(category: &SentFrom, sender: &SentFrom, channel: Channel, allowed: &[String]) -> Option<SentAs> {
    [category, sender].into_iter().filter_map(|from| from.over(channel)).find(|from| is_allowed(from, allowed))
}

/// Whether one of these allows it: the same number or letters; the same address, or `@` and its domain.
pub fn is_allowed(from: &SentAs, allowed: &[String]) -> bool {
    match from {
        SentAs::Number(number) => allowed.iter().any(|one| one == number),
        SentAs::Mail(author) => {
            let domain = author.address.find('@').map_or("", |at| &author.address[at..]);
            allowed.iter().any(|one| one.eq_ignore_ascii_case(&author.address) || (one.starts_with('@') && one.eq_ignore_ascii_case(domain)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_allowed, sent_as};
    use crate::values::{Channel, MailAuthor, SentAs, SentFrom};

    fn mail(address: &str) -> MailAuthor {
        MailAuthor { address: address.to_owned(), name: None }
    }

    fn from(email: &str, sms: &str) -> SentFrom {
        SentFrom { email: Some(mail(email)), sms: Some(sms.to_owned()), voice: None }
    }

    fn allowed(list: &[&str]) -> Vec<String> {
        list.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn the_category_comes_before_the_sender_and_both_before_the_provider() {
        let (category, sender) = (from("orders@acme.com", "ORDERS"), from("shop@acme.com", "SHOP"));
        let all = allowed(&["@acme.com", "ORDERS", "SHOP"]);
        let none = SentFrom::default();
        assert_eq!(sent_as(&category, &sender, Channel::Email, &all), Some(SentAs::Mail(mail("orders@acme.com"))));
        assert_eq!(sent_as(&none, &sender, Channel::Sms, &all), Some(SentAs::Number("SHOP".to_owned())));
        assert_eq!(sent_as(&none, &none, Channel::Sms, &all), None);
        assert_eq!(sent_as(&category, &sender, Channel::Voice, &all), None);
        assert_eq!(sent_as(&category, &sender, Channel::IosPush, &all), None);
    }

    #[test]
    fn what_a_provider_may_not_send_from_is_passed_over() {
        let (category, sender) = (from("orders@acme.com", "ORDERS"), from("shop@acme.com", "SHOP"));
        assert_eq!(sent_as(&category, &sender, Channel::Sms, &allowed(&["SHOP"])), Some(SentAs::Number("SHOP".to_owned())));
        assert_eq!(sent_as(&category, &sender, Channel::Sms, &[]), None);
    }

    #[test]
    fn a_domain_allows_its_own_addresses_only() {
        let may = |address: &str, list: &[&str]| is_allowed(&SentAs::Mail(mail(address)), &allowed(list));
        assert!(may("Orders@ACME.com", &["@acme.com"]) && may("orders@acme.com", &["Orders@acme.com"]));
        for forged in ["orders@mail.acme.com", "orders@notacme.com", "orders@acme.com.evil.example"] {
            assert!(!may(forged, &["@acme.com", "acme.com", "other@acme.com"]), "{forged}");
        }
        assert!(!is_allowed(&SentAs::Number("shop".to_owned()), &allowed(&["SHOP"])));
    }
}
