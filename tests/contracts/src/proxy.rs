//! A way to Postgres that can be cut around a COMMIT.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

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
    /// The COMMIT does not get through, and the connection stays.
    Hang,
}

/// See the module.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    cut: Arc<AtomicU8>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    /// In front of a local port, as long as the runtime runs.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), cut: Arc::default(), cuts: Arc::default() };
        let (cut, cuts) = (proxy.cut.clone(), proxy.cuts.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(forward(client, server, cut.clone(), cuts.clone()));
            }
        });
        proxy
    }

    /// The same URL by way of this.
    pub fn url(&self, direct: &str, port: u16) -> String {
        direct.replace(&format!(":{port}/"), &format!(":{}/", self.port))
    }

    /// Cuts the next COMMIT, once.
    pub fn cut(&self, where_: Cut) {
        self.cut.store(where_ as u8, Ordering::SeqCst);
    }

    /// How often it has cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

async fn forward(client: TcpStream, server: TcpStream, cut: Arc<AtomicU8>, cuts: Arc<AtomicUsize>) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
    let swallow = Arc::new(AtomicBool::new(false));
    let swallowing = swallow.clone();
    let answers = tokio::spawn(async move {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            // It has come, so what it answers is done.
            if swallowing.load(Ordering::SeqCst) || to_client.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
    });
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        // Not the COMMITTED of an isolation level.
        let commits = buffer[..count].windows(7).any(|window| window == b"COMMIT\0");
        let cutting = if commits { cut.swap(Cut::Never as u8, Ordering::SeqCst) } else { Cut::Never as u8 };
        if cutting != Cut::Never as u8 {
            cuts.fetch_add(1, Ordering::SeqCst);
        }
        if cutting == Cut::Before as u8 {
            break;
        }
        if cutting == Cut::Hang as u8 {
            std::future::pending::<()>().await;
        }
        if cutting == Cut::After as u8 {
            swallow.store(true, Ordering::SeqCst);
            to_server.write_all(&buffer[..count]).await.unwrap();
            answers.await.unwrap();
            return;
        }
        if to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    answers.abort();
}
