//! Configuration: one documented TOML file, the environment and the command line's flags.
//!
//! Flags win over the environment (`BONGSU_SECTION__KEY`), that over the file, that over the
//! defaults. Guarantees: unknown keys are errors that name the nearest known key; all mistakes
//! are told at once, each with the place it came from; secrets are never shown.
//!
//! Each section is a file here: its keys with documentation and defaults, and its own checks.
//! `docs/configuration.md` and `bongsu config show` are made from the same descriptions.
//!
//! Rejected: confique. Its layers forget where a value came from, `deny_unknown_fields` stops at
//! the first mistake and suggests nothing, environment names are spelled out at every field, and
//! one section with defaults that differ by channel (retry schedules) cannot be written in it.

mod attachments;
mod channels;
pub mod delivery;
mod limits;
mod links;
mod log;
mod metrics;
mod mirror;
mod policy;
mod postgres;
pub mod providers;
mod redis;
pub mod reference;
mod roles;
mod routing;
mod section;
mod server;
pub mod show;
pub mod source;
mod storage;
#[cfg(test)]
mod tests;
pub mod value;

pub use attachments::Attachments;
pub use channels::Channels;
pub use delivery::Delivery;
pub use limits::Limits;
pub use links::Links;
pub use log::{Log, LogFormat};
pub use metrics::Metrics;
pub use mirror::Mirror;
pub use policy::Policy;
pub use postgres::Postgres;
pub use providers::Providers;
pub use redis::{Redis, RedisMode, RedisQueue};
pub use roles::{Role, Roles};
pub use section::{Key, Section, SectionDoc};
pub use server::Server;
pub use source::{ConfigError, Layers, Origin, Sources};
pub use storage::{Profile, Storage};
pub use value::{Secret, duration_millis};

use section::Reader;

/// Everything that can be configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// Where data live.
    pub storage: Storage,
    /// The database of the cluster profile.
    pub postgres: Postgres,
    /// The shared queue of the cluster profile.
    pub redis: Redis,
    /// How deliveries are worked off and retried.
    pub delivery: Delivery,
    /// Third parties.
    pub providers: Providers,
    /// Where numbers may be reached.
    pub channels: Channels,
    /// What holds for all categories together.
    pub policy: Policy,
    /// What one request may cost.
    pub limits: Limits,
    /// Links that act for a person without a login.
    pub links: Links,
    /// Files that go with notifications.
    pub attachments: Attachments,
    /// What the server says about itself on stderr.
    pub log: Log,
    /// The metrics endpoint.
    pub metrics: Metrics,
    /// A copy of the log elsewhere.
    pub mirror: Mirror,
}

impl Config {
    /// The descriptions of all sections, in the order of the documentation.
    pub fn sections() -> Vec<SectionDoc> {
        let mut all = vec![Server::describe(), Storage::describe(), Postgres::describe(), Redis::describe()];
        all.extend(Delivery::describe_all());
        all.extend(Providers::describe_all());
        all.extend(Channels::describe_all());
        all.extend([
            Policy::describe(),
            Limits::describe(),
            Links::describe(),
            Attachments::describe(),
            Log::describe(),
            Metrics::describe(),
            Mirror::describe(),
        ]);
        all
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// Every mistake that was found, not just the first.
    pub fn load(sources: &Sources) -> Result<(Self, Layers), ConfigError> {
        let sections = Self::sections();
        let layers = Layers::read(sources, &sections)?;
        let mut reader = Reader::new(&layers);
        let server = Server::read(&mut reader);
        let storage = Storage::read(&mut reader);
        let postgres = Postgres::read(&mut reader);
        if let (Some(storage), Some(postgres)) = (&storage, &postgres) {
            postgres.check_with(storage, &mut reader);
        }
        if let (Some(storage), Some(server)) = (&storage, &server) {
            server.check_with(storage, &mut reader);
        }
        let redis = Redis::read(&mut reader);
        if let (Some(storage), Some(redis)) = (&storage, &redis) {
            redis.check_with(storage, &mut reader);
        }
        let delivery = Delivery::read(&mut reader);
        let providers = Providers::read(&mut reader);
        let channels = Channels::read(&mut reader);
        if let (Some(channels), Some(providers)) = (&channels, &providers) {
            channels.check_with(providers, &mut reader);
        }
        let policy = Policy::read(&mut reader);
        let limits = Limits::read(&mut reader);
        let links = Links::read(&mut reader);
        let attachments = Attachments::read(&mut reader);
        let log = Log::read(&mut reader);
        let metrics = Metrics::read(&mut reader);
        let mirror = Mirror::read(&mut reader);
        match (server, storage, postgres, redis, delivery, providers, channels, policy, limits, links, attachments, log, metrics, mirror) {
            (
                Some(server),
                Some(storage),
                Some(postgres),
                Some(redis),
                Some(delivery),
                Some(providers),
                Some(channels),
                Some(policy),
                Some(limits),
                Some(links),
                Some(attachments),
                Some(log),
                Some(metrics),
                Some(mirror),
            ) if !reader.has_problems() => {
                Ok((Self { server, storage, postgres, redis, delivery, providers, channels, policy, limits, links, attachments, log, metrics, mirror }, layers))
            }
            _ => Err(ConfigError::Invalid { problems: reader.into_problems() }),
        }
    }
}
