#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use crate::values::{CategoryKey, Channel, Priority};
use cqrs_es::test::TestFramework;

type Test = TestFramework<Category>;

fn define(name: &str, channels: Vec<Channel>) -> DefineCategory {
    DefineCategory {
        key: CategoryKey::new("orders").unwrap(),
        name: name.to_owned(),
        description: String::new(),
        required: false,
        default_channels: channels,
        priority: Priority::High,
    }
}

fn defined() -> CategoryEvent {
    CategoryEvent::CategoryDefined(CategoryDefined {
        key: CategoryKey::new("orders").unwrap(),
        name: "Orders".to_owned(),
        description: String::new(),
        required: false,
        default_channels: vec![Channel::Email],
        priority: Priority::High,
    })
}

#[test]
fn defining_it_the_same_way_again_changes_nothing() {
    Test::with(()).given_no_previous_events().when(define("Orders", vec![Channel::Email, Channel::Email])).then_expect_events(vec![defined()]);
    Test::with(()).given(vec![defined()]).when(define("Orders", vec![Channel::Email])).then_expect_events(vec![]);
}

#[test]
fn a_category_without_name_or_channels_is_refused() {
    Test::with(()).given_no_previous_events().when(define(" ", vec![Channel::Email])).then_expect_error(CategoryRefusal::Text);
    Test::with(()).given_no_previous_events().when(define("Orders", vec![])).then_expect_error(CategoryRefusal::NoChannels);
}
