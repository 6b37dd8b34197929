//! A server that stops answering at a chosen line, and a clock that then says the time is over: no test
//! depends on how fast the machine is.

use super::super::{Security, Settings, Smtp};
use super::message;
use crate::providers::Provider;
use commands::ports::Clock;
use domain::values::{Content, Millis, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

struct WhenSilent(Arc<Notify>);

impl Clock for WhenSilent {
    fn now(&self) -> Millis {
        1_700_000_000_000
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let silent = Arc::clone(&self.0);
        Box::pin(async move { silent.notified().await })
    }
}

/// Serves until the line that starts with `silent_at`; then keeps the connection open, silently, and
/// returns it.
async fn serve(mut stream: TcpStream, silent_at: Option<&str>) -> TcpStream {
    stream.write_all(b"220 test\r\n").await.unwrap();
    let mut stream = BufReader::new(stream);
    let mut content = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 || silent_at.is_some_and(|at| line.trim_end() == at || line.starts_with(at) && at != ".") {
            return stream.into_inner();
        }
        let reply = match line.trim_end() {
            "." => {
                content = false;
                "250 2.0.0 Ok: queued as 1\r\n"
            }
            _ if content => continue,
            "DATA" => {
                content = true;
                "354 go on\r\n"
            }
            _ => "250 2.0.0 Ok\r\n",
        };
        stream.write_all(reply.as_bytes()).await.unwrap();
    }
}

async fn outcome_when_silent_at(at: &'static str) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = Arc::new(Notify::new());
    let settings = Settings {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        username: None,
        password: None,
        from: "no-reply@acme.test".to_owned(),
        bounce_address: None,
        bounce_secret: None,
        message_id_domain: "acme.test".to_owned(),
        ca_pem: None,
        concurrency: 1,
        timeout: Duration::from_secs(20),
    };
    let smtp = Smtp::new(&settings, Arc::new(WhenSilent(Arc::clone(&silent)))).unwrap();
    let server = tokio::spawn(async move {
        let held = serve(listener.accept().await.unwrap().0, Some(at)).await;
        silent.notify_one();
        // The given-up connection must not carry the next message.
        serve(listener.accept().await.unwrap().0, None).await;
        drop(held);
    });
    let message = message("kim@example.org", Content { body: "b".to_owned(), ..Content::default() });
    let outcome = smtp.send(&message).await;
    assert_eq!(smtp.send(&message).await, Outcome::Accepted { provider_id: Some("1".to_owned()) });
    // Over the same connection once more: it is kept.
    assert!(matches!(smtp.send(&message).await, Outcome::Accepted { .. }));
    drop(smtp);
    server.await.unwrap();
    outcome
}

#[tokio::test]
async fn silence_is_unknown_only_once_the_content_was_begun() {
    let code = || "no answer in time".to_owned();
    for at in ["EHLO", "MAIL", "RCPT", "DATA"] {
        assert_eq!(outcome_when_silent_at(at).await, Outcome::Retry { after: None, code: code() }, "{at}");
    }
    assert_eq!(outcome_when_silent_at(".").await, Outcome::Unknown { code: code() });
}
