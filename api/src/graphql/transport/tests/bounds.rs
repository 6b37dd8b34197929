use std::fmt::Write;

use axum::http::StatusCode;
use serde_json::json;

use super::toy::{Toy, post, toy, with_bounds};
use crate::graphql::transport::{Bounds, TransportSettings};

async fn refused(toy: &Toy, query: &str, code: &str) {
    let answer = toy.query(query).await;
    let shown: String = query.chars().take(80).collect();
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{shown}: {}", answer.text);
    assert_eq!(answer.code(), code, "{shown}");
    assert!(answer.json().get("data").is_none());
}

async fn accepted(toy: &Toy, query: &str) {
    let answer = toy.query(query).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(answer.json().get("errors").is_none(), "{}", answer.text);
}

fn chain(levels: usize) -> String {
    format!("{{ tree {}value{} }}", "{ child ".repeat(levels) + "{ ", " }".repeat(levels + 1))
}

#[tokio::test]
async fn depth() {
    let toy = with_bounds(Bounds::default());
    accepted(&toy, &chain(13)).await;
    refused(&toy, &chain(14), "QUERY_TOO_DEEP").await;
    refused(&toy, &chain(30), "QUERY_TOO_DEEP").await;
    refused(&toy, &chain(60), "QUERY_TOO_DEEP").await;
    refused(&toy, &chain(5_000), "QUERY_TOO_DEEP").await;
}

#[tokio::test]
async fn nested_brackets_never_reach_the_parser() {
    let toy = with_bounds(Bounds::default());
    let lists = format!("{{ add(a: {} , b: 1) }}", "[".repeat(60_000));
    refused(&toy, &lists, "QUERY_TOO_DEEP").await;
    let types = format!("query Q($x: {}Int{}) {{ whoami }}", "[".repeat(20_000), "]".repeat(20_000));
    refused(&toy, &types, "QUERY_TOO_DEEP").await;
    let behind_a_quote = format!("{{ a(b: \"\n{} }}", "[".repeat(30_000));
    refused(&toy, &behind_a_quote, "QUERY_TOO_DEEP").await;
    let open_block = format!("{{ a(b: \"\"\" {} }}", "[".repeat(30_000));
    refused(&toy, &open_block, "QUERY_TOO_DEEP").await;
    let in_a_comment = format!("# {}\n{{ whoami }}", "[".repeat(1_000));
    accepted(&toy, &in_a_comment).await;
    let in_strings = format!("{{ whoami @include(if: true) t: tree {{ value }} }} # \" {}", "{".repeat(99));
    accepted(&toy, &in_strings).await;
}

#[tokio::test]
async fn complexity_counts_the_schemas_points() {
    let toy = with_bounds(Bounds::default());
    accepted(&toy, "{ tree { children(first: 10000) { value } } }").await;
    refused(&toy, "{ tree { children(first: 30000) { value } } }", "QUERY_TOO_COMPLEX").await;
    let query = "query Q($n: Int!) { tree { children(first: $n) { value } } }";
    assert_eq!(toy.query_with(query, json!({ "n": 10 })).await.status, StatusCode::OK);
    // The document is kept by now; the verdict on it must not be.
    assert_eq!(toy.query_with(query, json!({ "n": 30_000 })).await.code(), "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn aliases_and_root_fields() {
    let toy = with_bounds(Bounds::default());
    let aliases = |count: usize| {
        (0..count).fold(String::from("{ tree {"), |mut query, index| {
            write!(query, " a{index}: value").unwrap();
            query
        }) + " } }"
    };
    accepted(&toy, &aliases(50)).await;
    refused(&toy, &aliases(51), "TOO_MANY_ALIASES").await;

    let roots = |count: usize| {
        (0..count).fold(String::from("{"), |mut query, index| {
            write!(query, " a{index}: whoami").unwrap();
            query
        }) + " }"
    };
    accepted(&toy, &roots(30)).await;
    refused(&toy, &roots(31), "TOO_MANY_ROOT_FIELDS").await;
    let spread = format!("{{ {} }} fragment F on Query {{ a: whoami b: whoami }}", "...F ".repeat(16));
    refused(&toy, &spread, "TOO_MANY_ROOT_FIELDS").await;
}

#[tokio::test]
async fn directives_operations_and_length() {
    let toy = with_bounds(Bounds::default());
    let directives = |count: usize| format!("{{ whoami {} }}", "@include(if: true) ".repeat(count));
    refused(&toy, &directives(21), "TOO_MANY_DIRECTIVES").await;
    refused(&toy, &directives(3_000), "TOO_MANY_DIRECTIVES").await;
    let operations: String = (0..21).fold(String::new(), |mut query, index| {
        write!(query, "query Q{index} {{ whoami }} ").unwrap();
        query
    });
    refused(&toy, &operations, "TOO_MANY_OPERATIONS").await;
    let variables: String = (0..201).fold(String::new(), |mut query, index| {
        write!(query, "$v{index}: Int ").unwrap();
        query
    });
    let query = format!("query Q({variables}) {{ whoami }}");
    refused(&toy, &query, "TOO_MANY_VARIABLES").await;
    let long = format!("{{ whoami }} #{}", "x".repeat(64 * 1024));
    refused(&toy, &long, "QUERY_TOO_LONG").await;
}

/// Each fragment spreads the next one twice: 2^25 selections in two kilobytes.
#[tokio::test]
async fn fragment_bombs_are_measured_without_being_expanded() {
    let toy = with_bounds(Bounds::default());
    let mut query = String::from("{ tree { ...F0 } }");
    for index in 0..25 {
        write!(query, " fragment F{index} on Tree {{ ...F{0} ...F{0} }}", index + 1).unwrap();
    }
    query.push_str(" fragment F25 on Tree { value }");
    refused(&toy, &query, "QUERY_TOO_COMPLEX").await;
}

#[tokio::test]
async fn circular_fragments() {
    let toy = with_bounds(Bounds::default());
    for query in [
        "{ tree { ...A } } fragment A on Tree { child { ...A } }",
        "{ tree { ...A } } fragment A on Tree { ...B } fragment B on Tree { ...A }",
        "{ whoami } fragment A on Tree { ...B } fragment B on Tree { ...A }",
    ] {
        refused(&toy, query, "GRAPHQL_VALIDATION_FAILED").await;
    }
    let mut unused = String::from("{ whoami }");
    for index in 0..1_000 {
        write!(unused, " fragment F{index} on Tree {{ ...F{} }}", index + 1).unwrap();
    }
    refused(&toy, &unused, "QUERY_TOO_DEEP").await;
}

#[tokio::test]
async fn errors_told_are_bounded() {
    let toy = with_bounds(Bounds::default());
    let query = format!(
        "{{ tree {{ {} }} }}",
        (0..500).fold(String::new(), |mut query, index| {
            write!(query, "x{index} ").unwrap();
            query
        })
    );
    let answer = toy.query(&query).await;
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn subscriptions_have_one_field() {
    let toy = toy(TransportSettings::default());
    for query in ["subscription { wait count(to: 1) }", "subscription { ...F } fragment F on Live { wait }", "subscription { ... on Live { wait } }"] {
        refused(&toy, query, "GRAPHQL_VALIDATION_FAILED").await;
    }
}

#[tokio::test]
async fn anonymous_callers_learn_nothing_of_the_schema() {
    let toy = toy(TransportSettings::default());
    let send = async |query: &str| toy.send(post("anonymous", json!({ "query": query }).to_string())).await;
    for query in ["{ __schema { types { name } } }", "{ ...F } fragment F on Query { __type(name: \"Query\") { name } }"] {
        assert_eq!(send(query).await.code(), "INTROSPECTION_DISABLED");
    }
    let answer = send("{ whoam }").await;
    assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED");
    assert!(!answer.text.contains("whoami") && !answer.text.contains("Query"));
    let answer = send("{ colour(colour: BLUE) }").await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert!(!answer.text.contains("Colour"), "{}", answer.text);
    assert_eq!(send("{ whoami __typename }").await.json()["data"]["whoami"], "anonymous");

    let known = toy.query("{ whoam }").await;
    assert!(known.text.contains("Did you mean"), "{}", known.text);
    accepted(&toy, "{ __schema { types { name } } }").await;
}
