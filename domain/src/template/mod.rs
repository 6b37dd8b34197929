//! What is told, written once for everybody: texts with parameters, in languages, for channels.
//!
//! Every draft and every version stays in the log; a notification is bound to the version that was current when
//! it was accepted. Nothing of it is personal: what is, comes as parameters with each request.

mod check;
mod events;
mod experiment;
mod parameters;
mod refusal;
mod results;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod used;

pub use events::*;
pub use experiment::{Assigned, CONTROL, Experiment, MAX_VARIANTS, Variant};
pub use parameters::{ParameterRefusal, check_parameters, parse_parameters};
pub use refusal::{MAX_PARAMETERS, MAX_REVISIONS, MAX_SOURCE_BYTES, TemplateRefusal};
pub use results::{Proportion, compare};
pub use source::{Body, Localized, Parameter, ParameterType, Pins, Source, TemplateKind};
pub use state::{Published, Template, TemplateCommand};
pub use used::TemplateUse;

crate::cqrs_aggregate!(Template, "template");
