#![allow(clippy::unwrap_used, missing_docs)]

use super::{Content, ContentError, MAX_JSON_LEVELS, json_levels};

fn nested(levels: usize) -> String {
    format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1))
}

#[test]
fn levels_are_those_of_brackets_outside_of_strings() {
    for (text, levels) in [("1", 0), ("{}", 1), (r#"{"a":[{}],"b":[[]]}"#, 3), (r#"{"a":"[[[[{{","b":"\"[[","c":"\\\\"}"#, 1), (r#"{"\\":[]}"#, 2), ("]]][", 1)]
    {
        assert_eq!(json_levels(text), levels, "{text}");
    }
}

#[test]
fn content_of_too_many_levels_is_refused() {
    let of = |data: Option<String>, metadata: Option<String>| Content { body: "b".to_owned(), data, metadata, ..Content::default() }.check();
    assert_eq!(of(Some(nested(MAX_JSON_LEVELS)), Some(nested(MAX_JSON_LEVELS))), Ok(()));
    for levels in [MAX_JSON_LEVELS + 1, 5_000, 400_000] {
        assert_eq!(of(Some(nested(levels)), None), Err(ContentError::TooDeep { field: "data" }), "{levels}");
        assert_eq!(of(None, Some(nested(levels))), Err(ContentError::TooDeep { field: "metadata" }), "{levels}");
    }
}
