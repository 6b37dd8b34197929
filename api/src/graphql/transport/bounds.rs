//! What one GraphQL request may cost.
//!
//! Guarantee: a document past any of these is refused before a resolver runs, and before
//! async-graphql walks it: its own checks follow every fragment spread anew, so that thirty
//! fragments that spread each other twice would keep them busy for hours.
//!
//! Rejected: only async-graphql's limits. It has none by default, and none for aliases, root
//! fields, or the work of the checks themselves.

use async_graphql::{ObjectType, SchemaBuilder, SubscriptionType};

/// Limits of one document. Counts are of the *expanded* document: a fragment counts at each place
/// where it is spread. List arguments (`first`, `ids`) are checked by the resolvers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of query text. Code `QUERY_TOO_LONG`.
    pub query_bytes: usize,
    /// Levels of nested fields, leaves included. 15 lets GraphiQL's introspection query through.
    /// Code `QUERY_TOO_DEEP`.
    pub depth: usize,
    /// Levels of selection sets with fragment spreads counted as levels; bounds recursion.
    /// Code `QUERY_TOO_DEEP`.
    pub recursion: usize,
    /// Nested brackets of any kind in the text; checked before parsing, since the parser
    /// recurses on lists and objects without a limit. Code `QUERY_TOO_DEEP`.
    pub nesting: usize,
    /// Points: one a field, more where the schema says so. Code `QUERY_TOO_COMPLEX`.
    pub complexity: usize,
    /// Fields, spreads and inline fragments. Code `QUERY_TOO_COMPLEX`.
    pub selections: usize,
    /// Aliased fields. Code `TOO_MANY_ALIASES`.
    pub aliases: usize,
    /// Fields at the root of one operation. Code `TOO_MANY_ROOT_FIELDS`.
    pub root_fields: usize,
    /// Directives anywhere in the request. Code `TOO_MANY_DIRECTIVES`.
    pub directives: usize,
    /// Operations in one document. Code `TOO_MANY_OPERATIONS`.
    pub operations: usize,
    /// Variables declared by one operation; validation compares each use with them.
    /// Code `TOO_MANY_VARIABLES`.
    pub variables: usize,
    /// Errors told in one answer; the rest are dropped.
    pub errors: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            query_bytes: 64 * 1024,
            depth: 15,
            recursion: 32,
            nesting: 64,
            complexity: 20_000,
            selections: 5_000,
            aliases: 50,
            root_fields: 30,
            directives: 20,
            operations: 20,
            variables: 200,
            errors: 20,
        }
    }
}

/// Tells the schema the bounds that it can check itself: depth, complexity (it alone knows each
/// field's points), directives a field and recursion.
pub fn apply<Q, M, S>(builder: SchemaBuilder<Q, M, S>, bounds: &Bounds) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    builder.limit_depth(bounds.depth).limit_complexity(bounds.complexity).limit_directives(bounds.directives).limit_recursive_depth(bounds.recursion)
}
