#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::parse;

#[test]
fn figures_are_read_with_their_labels() {
    let page = "# HELP x y\n# TYPE bongsu_pending gauge\nbongsu_pending{channel=\"email\",priority=\"high\"} 12\nbongsu_up 1\nodd{text=\"a \\\"b\\\", c}\"} 2.5 1700000000\nbroken{\n";
    let samples = parse(page);
    assert_eq!(samples.len(), 3);
    assert_eq!(samples[0].labels["channel"], "email");
    assert_eq!(samples[0].labels["priority"], "high");
    assert!((samples[0].value - 12.0).abs() < f64::EPSILON);
    assert_eq!(samples[1].name, "bongsu_up");
    assert_eq!(samples[2].labels["text"], "a \"b\", c}");
    assert!((samples[2].value - 2.5).abs() < f64::EPSILON);
}
