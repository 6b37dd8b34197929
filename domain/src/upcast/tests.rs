use crate::category::CategoryEvent;
use crate::values::{Channel, Priority};
use crate::{AggregateKind, Fact};

#[test]
fn a_stored_category_of_version_1_reaches_every_channel() {
    let stored = include_bytes!("samples/category_defined_v1.json");
    let Ok(Fact::Category(CategoryEvent::CategoryDefined(defined))) = Fact::decode(AggregateKind::Category, "CategoryDefined", 1, stored, None) else {
        unreachable!("the sample decodes");
    };
    assert_eq!(defined.key.as_str(), "orders");
    assert_eq!(defined.default_channels, Channel::ALL.to_vec());
    assert_eq!(defined.priority, Priority::Normal);
}

#[test]
fn an_event_of_a_newer_build_is_refused_not_skipped() {
    let refused = Fact::decode(AggregateKind::Category, "CategoryDefined", 3, b"{}", None);
    assert!(matches!(refused, Err(crate::event::DecodeError::Unknown { version: 3, .. })));
}
