use std::sync::Arc;

use crate::graphql::transport::Bounds;
use crate::graphql::transport::document::{Document, DocumentCache};

fn parse(query: &str) -> Arc<Document> {
    Arc::new(Document::parse(query, &Bounds::default()).unwrap())
}

#[test]
fn keeps_what_is_used_and_evicts_the_rest() {
    let cache = DocumentCache::new(16 * 8, 1024);
    let hot = "{ hot }";
    cache.insert(hot, &parse(hot));
    for index in 0..5_000 {
        let query = format!("{{ cold{index} }}");
        cache.insert(&query, &parse(&query));
        assert!(cache.get(hot).is_some(), "evicted after {index}");
    }
    assert!(cache.len() <= 16 * 8);
    assert!(!cache.is_empty());
}

#[test]
fn long_and_heavy_documents_are_not_kept() {
    let cache = DocumentCache::new(100, 50);
    let long = format!("{{ a }} # {}", "x".repeat(50));
    cache.insert(&long, &parse(&long));
    assert!(cache.get(&long).is_none());

    let cache = DocumentCache::new(100, 1 << 20);
    let heavy = format!("{{ a {{ {} }} }}", "b ".repeat(2_000));
    cache.insert(&heavy, &parse(&heavy));
    assert!(cache.is_empty());
}

#[test]
fn memory_is_bounded_whatever_the_number() {
    let cache = DocumentCache::new(1_000_000, 1 << 20);
    for index in 0..3_000 {
        let query = format!("{{ a{index} {{ {} }} }}", "b ".repeat(200));
        cache.insert(&query, &parse(&query));
    }
    // About 80 kB each by estimate, 16 MiB in all.
    assert!(cache.len() < 250, "{}", cache.len());
}
