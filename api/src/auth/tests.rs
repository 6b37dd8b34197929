#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::api_key::{KeyHasher, generate, prefix_of};
use super::recipient_token::TokenKey;
use super::registry::KeyRegistry;
use base64::Engine as _;
use commands::log::MasterKey;
use commands::ports::SeededRandom;
use domain::api_key::Role;
use domain::values::{KeyId, RecipientId};
use uuid::Uuid;

fn registry(expires_at: Option<i64>, revoked: bool) -> (KeyRegistry, String) {
    let registry = KeyRegistry::new(KeyHasher::new(&MasterKey::new([1; 32])));
    let (prefix, secret) = generate(&SeededRandom::new(1), false);
    registry.add(KeyId(Uuid::from_u128(1)), &prefix, &registry.hasher().hash(&secret), &Role::Administrator, expires_at, revoked);
    (registry, secret)
}

#[test]
fn a_key_opens_and_one_wrong_character_does_not() {
    let (registry, secret) = registry(None, false);
    assert!(registry.authenticate(&secret, 0).is_ok());
    let last = if secret.ends_with('a') { "b" } else { "a" };
    let wrong = format!("{}{last}", &secret[..secret.len() - 1]);
    assert_eq!(registry.authenticate(&wrong, 0).unwrap_err().code, "UNAUTHENTICATED");
    assert_eq!(registry.authenticate("bongsu_live_nothing_x", 0).unwrap_err().code, "UNAUTHENTICATED");
}

#[test]
fn a_revoked_or_expired_key_is_told_so() {
    let (registry_, secret) = registry(Some(100), false);
    assert!(registry_.authenticate(&secret, 99).is_ok());
    assert_eq!(registry_.authenticate(&secret, 100).unwrap_err().code, "KEY_REVOKED");
    let (registry_, secret) = registry(None, true);
    assert_eq!(registry_.authenticate(&secret, 0).unwrap_err().code, "KEY_REVOKED");
}

#[test]
fn the_prefix_is_public_and_the_hash_says_nothing() {
    let (prefix, secret) = generate(&SeededRandom::new(2), true);
    assert!(prefix.starts_with("bongsu_test_"));
    assert_eq!(prefix_of(&secret), Some(prefix.as_str()));
    assert!(!KeyHasher::new(&MasterKey::new([1; 32])).hash(&secret).contains(&secret[20..]));
}

const NOW: i64 = 1_700_000_000_000;

fn recipient() -> RecipientId {
    RecipientId(Uuid::from_u128(5))
}

fn forge(header: &str, claims: &str, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let signed = format!("{}.{}", engine.encode(header), engine.encode(claims));
    format!("{signed}.{}", engine.encode(sign(&signed)))
}

fn sign_with(master: &MasterKey) -> impl Fn(&str) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, master.derive("bongsu/recipient-tokens/1").as_ref());
    move |text| aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn claims(aud: &str, exp: &str) -> String {
    format!(r#"{{"iss":"bongsu","aud":"{aud}","sub":"{}","iat":1700000000,"nbf":1700000000,"exp":{exp}}}"#, recipient())
}

#[test]
fn a_token_holds_until_its_end() {
    let key = TokenKey::new(&MasterKey::new([1; 32]));
    let token = key.mint(recipient(), 60, NOW).unwrap();
    assert_eq!(key.judge(&token, NOW + 59_000).unwrap().0, recipient());
    assert_eq!(key.judge(&token, NOW + 60_000).unwrap_err().code, "KEY_REVOKED");
    assert!(TokenKey::new(&MasterKey::new([2; 32])).judge(&token, NOW).is_err(), "another server's token");
}

#[test]
fn forged_tokens_are_refused() {
    let master = MasterKey::new([1; 32]);
    let key = TokenKey::new(&master);
    let hs256 = r#"{"alg":"HS256","typ":"JWT"}"#;
    let good = forge(hs256, &claims("bongsu/recipient", "1700000600"), sign_with(&master));
    assert!(key.judge(&good, NOW).is_ok(), "the forger's tool makes valid tokens when it has the key");
    let none = forge(r#"{"alg":"none"}"#, &claims("bongsu/recipient", "1700000600"), |_| Vec::new());
    let confused = forge(r#"{"alg":"RS256"}"#, &claims("bongsu/recipient", "1700000600"), sign_with(&master));
    let other_audience = forge(hs256, &claims("elsewhere", "1700000600"), sign_with(&master));
    let exp_as_text = forge(hs256, &claims("bongsu/recipient", "\"1700000600\""), sign_with(&master));
    let without_exp = forge(hs256, &format!(r#"{{"iss":"bongsu","aud":"bongsu/recipient","sub":"{}","iat":1,"nbf":1}}"#, recipient()), sign_with(&master));
    let too_long = forge(hs256, &claims("bongsu/recipient", "1800000000"), sign_with(&master));
    let with_claims = |claims: &str| forge(hs256, claims, sign_with(&master));
    let fields =
        |iss: &str, nbf: &str, sub: &str| format!(r#"{{"iss":"{iss}","aud":"bongsu/recipient","sub":"{sub}","iat":1700000000,"nbf":{nbf},"exp":1700000600}}"#);
    let subject = recipient().to_string();
    assert!(key.judge(&with_claims(&fields("bongsu", "1700000000", &subject)), NOW).is_ok());
    let other_issuer = with_claims(&fields("elsewhere", "1700000000", &subject));
    let nbf_as_text = with_claims(&fields("bongsu", "\"1700000000\"", &subject));
    let not_yet = with_claims(&fields("bongsu", "1700000100", &subject));
    let no_recipient = with_claims(&fields("bongsu", "1700000000", "everybody"));
    let without_nbf = with_claims(&format!(r#"{{"iss":"bongsu","aud":"bongsu/recipient","sub":"{subject}","iat":1700000000,"exp":1700000600}}"#));
    // A header that says where to fetch a key from; signed with that key.
    let pointing = r#"{"alg":"HS256","jku":"https://attacker.example/keys","kid":"../../dev/null","jwk":{"kty":"oct","k":"AAAA"}}"#;
    let own_key = forge(pointing, &claims("bongsu/recipient", "1700000600"), sign_with(&MasterKey::new([9; 32])));
    for forged in [other_issuer, nbf_as_text, not_yet, no_recipient, without_nbf, own_key] {
        assert_eq!(key.judge(&forged, NOW).unwrap_err().code, "UNAUTHENTICATED", "{forged}");
    }
    for forged in [none, confused, other_audience, exp_as_text, without_exp, too_long, "a.b.c".to_owned(), String::new()] {
        assert_eq!(key.judge(&forged, NOW).unwrap_err().code, "UNAUTHENTICATED", "{forged}");
    }
}
