#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Credential, body, client, install_crypto, no_answer, retry_after};
use domain::values::Outcome;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Tue, 14 Nov 2023 22:13:20 GMT.
const NOW: i64 = 1_700_000_000_000;

fn wait(text: &str) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, text.parse().unwrap());
    retry_after(&headers, NOW)
}

#[test]
fn waits_in_every_form() {
    let week = Some(Duration::from_secs(7 * 86_400));
    for (text, wanted) in [
        ("0", Some(Duration::ZERO)),
        (" 120 ", Some(Duration::from_secs(120))),
        ("99999999", week),
        ("99999999999999999999999999", week),
        ("Tue, 14 Nov 2023 22:14:20 GMT", Some(Duration::from_secs(60))),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", Some(Duration::from_secs(60))),
        ("Tue Nov 14 22:14:20 2023", Some(Duration::from_secs(60))),
        ("Tue, 14 Nov 2023 22:12:20 GMT", Some(Duration::ZERO)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", week),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
    ] {
        assert_eq!(wait(text), wanted, "{text}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), NOW), None);
}

#[test]
fn credentials_are_not_shown() {
    let credential = Credential::new("marker");
    assert_eq!(credential.reveal(), "marker");
    assert!(!format!("{credential:?} {:?}", Some(&credential)).contains("marker"));
}

#[test]
fn installing_twice_changes_nothing() {
    install_crypto();
    install_crypto();
    assert!(rustls::crypto::CryptoProvider::get_default().is_some());
}

fn http() -> reqwest::Client {
    client(Duration::from_secs(20), 1).build().unwrap()
}

#[tokio::test]
async fn answers_without_end_are_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        stream.read_u8().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        // Until the client has had enough.
        while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
    });
    let answer = http().get(url).send().await.unwrap();
    assert_eq!(body(answer).await.unwrap().len(), 64 * 1_024);
    server.await.unwrap();
}

#[tokio::test]
async fn only_without_a_connection_is_it_sure_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Not TLS at all: the handshake fails, so no request was sent.
    let server = tokio::spawn(async move {
        let mut stream = listener.accept().await.unwrap().0;
        stream.write_all(b"220 mail\r\n").await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        listener
    });
    let error = http().post(format!("https://{address}/")).body("x").send().await.unwrap_err();
    assert_eq!(no_answer(&error), Outcome::Retry { after: None, code: "no connection".to_owned() });
    // Silence in the handshake, too: connecting has a shorter time than the call.
    let listener = server.await.unwrap();
    let impatient = client(Duration::from_secs(2), 1).build().unwrap();
    let error = impatient.post(format!("https://{address}/")).body("x").send().await.unwrap_err();
    assert_eq!(no_answer(&error), Outcome::Retry { after: None, code: "no connection".to_owned() });
    // A connection, then silence.
    let error = impatient.post(format!("http://{address}/")).body("x").send().await.unwrap_err();
    assert_eq!(no_answer(&error), Outcome::Unknown { code: "no answer in time".to_owned() });
    drop(listener);
    let error = http().post(format!("http://{address}/")).body("x").send().await.unwrap_err();
    assert_eq!(no_answer(&error), Outcome::Retry { after: None, code: "no connection".to_owned() });
    let error = http().post(format!("http://{address}/")).header("a", "b\n").send().await.unwrap_err();
    assert!(matches!(no_answer(&error), Outcome::Permanent { .. }));
}

/// Reads HTTP/2 frames up to the request, says GOAWAY with this last stream and closes.
async fn go_away(stream: &mut TcpStream, last_stream: u8) {
    stream.read_exact(&mut [0; 24]).await.unwrap();
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).await.unwrap();
        let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        stream.read_exact(&mut vec![0; length]).await.unwrap();
        // DATA or HEADERS with END_STREAM.
        if header[3] <= 1 && header[4] & 1 != 0 {
            break;
        }
    }
    stream.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last_stream, 0, 0, 0, 0]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

/// Requests that arrived and what came of the call, for a server that processed up to this stream.
async fn after_go_away(last_stream: u8) -> (u32, Outcome) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (done, mut finished) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let mut requests = 0;
        loop {
            let mut stream = tokio::select! {
                stream = listener.accept() => stream.unwrap().0,
                _ = &mut finished => return requests,
            };
            go_away(&mut stream, last_stream).await;
            requests += 1;
        }
    });
    let client = client(Duration::from_secs(20), 1).http2_prior_knowledge().build().unwrap();
    let error = client.post(url).body("x").send().await.unwrap_err();
    done.send(()).unwrap();
    (server.await.unwrap(), no_answer(&error))
}

#[tokio::test]
async fn streams_the_server_processed_are_not_sent_again() {
    let broken = Outcome::Unknown { code: "connection broken".to_owned() };
    assert_eq!(after_go_away(1).await, (1, broken));
    let (requests, _) = after_go_away(0).await;
    assert!(requests > 1, "{requests}");
}
