//! placeholder

pub mod simulators;
