//! What Bongsu does, told as its users would see it.

mod cluster;
mod command_line;
mod dead_letters;
mod delivering;
mod deploying;
mod devices;
mod embedded;
mod erasure;
mod fairness;
mod flooding;
mod history;
mod limits;
mod live;
mod messages;
mod moving;
mod operating;
mod outages;
mod preferences;
mod redis;
mod refusals;
mod replicas;
mod retrying;
mod sandbox;
mod sending;
mod stopping;
mod unknown_outcomes;
