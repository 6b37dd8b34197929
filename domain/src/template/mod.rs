//! What is told, written once for everybody: texts with parameters, in languages, for channels.

mod source;

pub use source::{Body, Localized, Parameter, ParameterType, Pins, Source, TemplateKind};
