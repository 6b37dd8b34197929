//! Each replica's way to Postgres, that can be cut around a COMMIT, or fall silent.

use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What only the connection that appends says.
const HEAD: &[u8] = b"log_head FOR UPDATE";
const GLANCE: Duration = Duration::from_millis(20);

/// Where the next connection that commits is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// Nowhere.
    Never,
    /// The COMMIT does not get through.
    Before,
    /// The COMMIT gets through, its answer does not.
    After,
}

/// What all connections of one replica share.
#[derive(Debug, Default)]
struct State {
    cut: AtomicU8,
    log_only: AtomicBool,
    cuts: AtomicUsize,
    silent: AtomicBool,
}

impl State {
    async fn heard(&self) {
        while self.silent.load(Ordering::SeqCst) {
            tokio::time::sleep(GLANCE).await;
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// In front of a local port, as long as the runtime runs.
    pub async fn to(port: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let proxy = Self { port: listener.local_addr()?.port(), state: Arc::default() };
        let state = Arc::clone(&proxy.state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    state.heard().await;
                    // Where Postgres is down, the client sees its connection closed.
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                        forward(client, server, state).await;
                    }
                });
            }
        });
        Ok(proxy)
    }

    /// The same URL by way of this.
    pub fn url(&self, direct: &str, port: u16) -> String {
        direct.replace(&format!(":{port}/"), &format!(":{}/", self.port))
    }

    /// Cuts the next COMMIT, once: of whoever appends to the log, or of anybody.
    pub fn cut(&self, place: Cut, log_only: bool) {
        self.state.log_only.store(log_only, Ordering::SeqCst);
        self.state.cut.store(place as u8, Ordering::SeqCst);
    }

    /// How often it has cut.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }

    /// While silent nothing gets through in either direction, and every connection stays.
    pub fn silence(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

async fn forward(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
    let swallow = Arc::new(AtomicBool::new(false));
    let (swallowing, hearing) = (Arc::clone(&swallow), Arc::clone(&state));
    let mut answers = tokio::spawn(async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            hearing.heard().await;
            // It has come, so what it answers is done.
            if swallowing.load(Ordering::SeqCst) || to_client.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    });
    let (mut buffer, mut appends) = (vec![0; 64 << 10], false);
    loop {
        // Where the server has hung up, so does this.
        let count = tokio::select! {
            read = from_client.read(&mut buffer) => match read { Ok(count @ 1..) => count, _ => break },
            _ = &mut answers => return,
        };
        state.heard().await;
        appends |= contains(&buffer[..count], HEAD);
        // Not the COMMITTED of an isolation level.
        let commits = contains(&buffer[..count], b"COMMIT\0") && (appends || !state.log_only.load(Ordering::SeqCst));
        let cut = if commits { state.cut.swap(Cut::Never as u8, Ordering::SeqCst) } else { Cut::Never as u8 };
        if cut != Cut::Never as u8 {
            state.cuts.fetch_add(1, Ordering::SeqCst);
        }
        if cut == Cut::Before as u8 {
            break;
        }
        if cut == Cut::After as u8 {
            swallow.store(true, Ordering::SeqCst);
            if to_server.write_all(&buffer[..count]).await.is_ok() {
                let _ = answers.await;
            }
            return;
        }
        if to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    answers.abort();
}
