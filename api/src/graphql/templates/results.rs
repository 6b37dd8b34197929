//! What came of experiments, with how sure that is.

use async_graphql::SimpleObject;
use domain::template::{CONTROL, Proportion, compare};
use projections::templates::VariantRow;

/// How often something happened, of those who were assigned a variant.
#[derive(SimpleObject)]
pub struct Outcome {
    /// People.
    count: i64,
    /// Their part of those assigned; none of nobody.
    rate: Option<f64>,
    /// With 95 % certainty at least this (Wilson).
    low: Option<f64>,
    /// With 95 % certainty at most this.
    high: Option<f64>,
    /// How surprising the difference to the control would be if there were none, however often one looks: below
    /// 0.05 it is taken for real. None for the control, and while there are fewer than 50 on either side.
    p_value: Option<f64>,
}

/// A variant and what came of it; people, each counted once.
#[derive(SimpleObject)]
pub struct VariantResults {
    /// `control`: the template as it is.
    variant: String,
    assigned: i64,
    opened: Outcome,
    clicked: Outcome,
    unsubscribed: Outcome,
}

/// An experiment and what came of its variants.
#[derive(SimpleObject)]
pub struct ExperimentResults {
    experiment: String,
    variants: Vec<VariantResults>,
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn outcome(row: &VariantRow, control: Option<&VariantRow>, of: fn(&VariantRow) -> u64) -> Outcome {
    let proportion = |row: &VariantRow| Proportion { hits: of(row), of: row.assigned };
    let own = proportion(row);
    let interval = own.interval();
    Outcome {
        count: signed(own.hits),
        rate: own.rate(),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        p_value: control.filter(|control| control.variant != row.variant).and_then(|control| compare(own, proportion(control))),
    }
}

/// As callers see them; rows of one experiment follow each other.
pub fn results(rows: &[VariantRow]) -> Vec<ExperimentResults> {
    let of_experiment = |rows: &[VariantRow]| {
        let control = rows.iter().find(|row| row.variant == CONTROL);
        let variant = |row: &VariantRow| VariantResults {
            variant: row.variant.clone(),
            assigned: signed(row.assigned),
            opened: outcome(row, control, |row| row.opened),
            clicked: outcome(row, control, |row| row.clicked),
            unsubscribed: outcome(row, control, |row| row.unsubscribed),
        };
        ExperimentResults { experiment: rows.first().map(|row| row.experiment.clone()).unwrap_or_default(), variants: rows.iter().map(variant).collect() }
    };
    rows.chunk_by(|a, b| a.experiment == b.experiment).map(of_experiment).collect()
}
