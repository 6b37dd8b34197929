//! `[server]`: the HTTP listener.

use super::providers::Network;
use super::roles::Roles;
use super::section::{Reader, section};
use super::storage::{Profile, Storage};
use super::value::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

section! {
    /// The HTTP server: GraphQL, health and metrics. It speaks plain HTTP; put a proxy that
    /// terminates TLS in front of it before it is reachable from elsewhere.
    Server at "server" {
        /// Address and port to listen on. The default is reachable from this machine only.
        listen: SocketAddr = "127.0.0.1:8080",
        /// What this process does: some of `api` (answers requests), `projections` (keeps read models up
        /// to date, and the mirror) and `workers` (delivers). The profile `embedded` has one process,
        /// which does everything; of a cluster every role must be somebody's.
        roles: Roles = "api,projections,workers",
        /// The address under which callers reach it, where that is another one (behind a proxy).
        /// It is also an origin that browsers may come from.
        public_url: Option<url::Url>,
        /// Origins of web pages that may call and open WebSockets, such as
        /// `https://app.example.com`. The server's own pages always may.
        allowed_origins: Vec<String> = "",
        /// Proxies in front, as networks such as `10.0.0.0/8`: from them, and from nobody else, the
        /// caller's address is taken from the last line of `X-Forwarded-For` that is not theirs. It is
        /// the evidence kept with an opt-out by link.
        trusted_proxies: Vec<Network> = "",
        /// Largest request body or WebSocket message.
        body_limit: Bytes = "2MiB",
        /// Time for a whole request body to arrive.
        body_timeout: Duration = "10s",
        /// WebSockets and event streams open at once; past it callers are told to come later.
        max_streams: usize = "10000",
        /// Serve the GraphiQL explorer at `/graphiql`.
        graphiql: bool = "true",
        /// On shutdown, how long attempts that are under way may take to end. What is cut off is
        /// recorded as of unknown outcome.
        shutdown_grace: Duration = "20s",
        /// Threads that run requests and deliveries; 0 stands for one a processor core.
        worker_threads: usize = "0",
    }
}

impl Server {
    fn check(&self, reader: &mut Reader<'_>) {
        for origin in &self.allowed_origins {
            let usable = url::Url::parse(origin).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == *origin);
            reader.require(
                usable,
                "server.allowed_origins",
                format_args!("{origin:?} is not an origin; write it as browsers do, such as \"https://app.example.com\", without a path"),
            );
        }
        if let Some(url) = &self.public_url {
            reader.require(matches!(url.scheme(), "http" | "https"), "server.public_url", "must begin with http:// or https://");
        }
        reader.require((1_024..=64 << 20).contains(&self.body_limit.0), "server.body_limit", "must be between 1KiB and 64MiB");
        reader.require(self.body_timeout >= Duration::from_secs(1), "server.body_timeout", "must be at least 1s");
        reader.require(self.max_streams > 0, "server.max_streams", "must be at least 1");
        reader.require(self.worker_threads <= 1_024, "server.worker_threads", "must be at most 1024");
    }

    /// What only the two sections together say.
    pub(super) fn check_with(&self, storage: &Storage, reader: &mut Reader<'_>) {
        let whole = storage.profile == Profile::Cluster || self.roles == Roles::ALL;
        reader.require(whole, "server.roles", "must be all of them in the profile `embedded`, which has one process");
    }

    /// Origins that browsers may come from, the public address included.
    pub fn origins(&self) -> Vec<String> {
        let mut origins = self.allowed_origins.clone();
        origins.extend(self.public_url.iter().map(|url| url.origin().ascii_serialization()));
        origins
    }
}
