//! Runs the example's simulator, which no list names.

use super::super::World;
use super::super::credentials::KeyRing;
use super::super::http::{Versions, accept, serve};
use super::super::pigeon::PigeonSimulator;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) world: Arc<World>,
    _stop: DropGuard,
}

pub(crate) async fn start(key: &str) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let world = Arc::new(World::new(1, 0, &KeyRing::generate().unwrap()));
    let simulator = Arc::new(PigeonSimulator::new(Arc::clone(&world), key));
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let connected = move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both);
    tracker.spawn(accept(listener, tracker.clone(), stop.clone(), connected));
    Running { address, world, _stop: stop.drop_guard() }
}
