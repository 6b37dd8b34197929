//! What came of experiments; in the words of each store in [`sqlite`] and [`postgres`].

mod postgres;
mod sqlite;

use crate::store::{Projection, ReadError};
use domain::values::TemplateKey;
use std::sync::Arc;

/// What came of a variant: people, each counted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantRow {
    /// The experiment.
    pub experiment: String,
    /// The variant.
    pub variant: String,
    /// Those who were assigned it and something was requested for.
    pub assigned: u64,
    /// Of them, those who opened it or followed a link.
    pub opened: u64,
    /// Those who followed a link.
    pub clicked: u64,
    /// Those who unsubscribed by its link.
    pub unsubscribed: u64,
}

/// The columns as both stores give them.
type Columns = (String, String, i64, i64, i64, i64);

const RESULTS: &str = "SELECT experiment, variant, CAST(count(*) AS bigint), CAST(sum(opened) AS bigint), CAST(sum(clicked) AS bigint), CAST(sum(unsubscribed) AS bigint) FROM \
    (SELECT experiment, variant, recipient, max(opened) AS opened, max(clicked) AS clicked, max(unsubscribed) AS unsubscribed FROM assigned WHERE template = ?1 \
    GROUP BY experiment, variant, recipient) AS people GROUP BY experiment, variant ORDER BY experiment, variant";

impl VariantRow {
    fn of((experiment, variant, assigned, opened, clicked, unsubscribed): Columns) -> Self {
        let count = |number| u64::try_from(number).unwrap_or(0);
        Self { experiment, variant, assigned: count(assigned), opened: count(opened), clicked: count(clicked), unsubscribed: count(unsubscribed) }
    }
}

/// Queries over the serving generation. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Experiments {
    projection: Arc<Projection>,
}

impl Experiments {
    /// Over the read model of this name.
    pub const fn new(projection: Arc<Projection>) -> Self {
        Self { projection }
    }

    /// The read model, for waiting until it has come far enough.
    pub const fn projection(&self) -> &Arc<Projection> {
        &self.projection
    }

    /// What came of all experiments of a template, by experiment and variant.
    pub async fn of_template(&self, key: &TemplateKey) -> Result<Vec<VariantRow>, ReadError> {
        let (key, copy) = (key.as_str().to_owned(), key.as_str().to_owned());
        self.projection.read(move |connection| sqlite::results(connection, &key), move |pool| postgres::results(pool, copy.clone())).await
    }
}
