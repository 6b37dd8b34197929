//! `[metrics]`: the Prometheus endpoint.

use super::section::{Reader, section};

section! {
    /// Figures for Prometheus at `/metrics`.
    Metrics at "metrics" {
        /// Keep figures and serve them at `/metrics`, which `bongsu status` reads.
        enabled: bool = "true",
    }
}

impl Metrics {
    // Nothing can be wrong with a flag; the macro asks every section.
    fn check(&self, _reader: &mut Reader<'_>) {}
}
