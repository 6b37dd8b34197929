#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::values::KeyId;
use cqrs_es::test::TestFramework;
use uuid::Uuid;

type Test = TestFramework<ApiKey>;

fn issued() -> ApiKeyIssued {
    ApiKeyIssued {
        key: KeyId(Uuid::from_u128(1)),
        name: "ci".to_owned(),
        prefix: "bongsu_live_abc".to_owned(),
        hash: "00".to_owned(),
        role: Role::Administrator,
        expires_at: None,
    }
}

#[test]
fn a_key_is_issued_once_and_revoked_once() {
    let event = ApiKeyEvent::ApiKeyIssued(issued());
    let revoked = ApiKeyEvent::ApiKeyRevoked(ApiKeyRevoked { key: issued().key });
    Test::with(()).given_no_previous_events().when(ApiKeyCommand::Issue(Box::new(issued()))).then_expect_events(vec![event.clone()]);
    Test::with(()).given(vec![event.clone()]).when(ApiKeyCommand::Issue(Box::new(issued()))).then_expect_error(ApiKeyRefusal::Exists);
    Test::with(()).given(vec![event.clone()]).when(ApiKeyCommand::Revoke).then_expect_events(vec![revoked.clone()]);
    Test::with(()).given(vec![event, revoked]).when(ApiKeyCommand::Revoke).then_expect_events(vec![]);
    Test::with(()).given_no_previous_events().when(ApiKeyCommand::Revoke).then_expect_error(ApiKeyRefusal::NotFound);
}
