//! Tests that the gateway concludes nothing from servers that close, truncate, garble or withhold their replies.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use voelgoed_app::payments::ports::{PaymentGateway, RefundObservation};
use voelgoed_domain::payments::decide::Observation;

use super::values::{charge, gateway, id, key, refund};

/// How a broken server treats its connections.
#[derive(Debug, Clone, Copy)]
enum Misbehaviour {
    /// Reads the request and hangs up.
    HangUp,
    /// Sends half of its content length and hangs up.
    Half,
    /// Sends a body that is not JSON.
    Nonsense,
    /// Reads the request and sends nothing.
    Silent,
    /// Never accepts, while the kernel completes the connection.
    NeverAccepts,
}

/// Starts a broken server that answers only `GET /methods` correctly; it stops with the tasks.
async fn broken_server(misbehaviour: Misbehaviour) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    let base = url.clone();
    tasks.spawn(async move {
        if matches!(misbehaviour, Misbehaviour::NeverAccepts) {
            std::future::pending::<()>().await;
        }
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(misbehave(stream, misbehaviour, base.clone()));
        }
    });
    (url, tasks)
}

async fn misbehave(mut stream: TcpStream, misbehaviour: Misbehaviour, base: String) {
    let mut request = vec![0; 4096];
    let read = stream.read(&mut request).await.unwrap_or(0);
    let methods = format!(r#"{{"methods":[{{"name":"ok","url":"{base}"}}]}}"#);
    let length = methods.len();
    let reply = match misbehaviour {
        _ if request[..read].starts_with(b"GET /methods") => {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{methods}")
        }
        Misbehaviour::HangUp => return,
        Misbehaviour::Half => "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"key\":".to_owned(),
        Misbehaviour::Nonsense => "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".to_owned(),
        Misbehaviour::Silent | Misbehaviour::NeverAccepts => std::future::pending().await,
    };
    stream.write_all(reply.as_bytes()).await.ok();
}

#[tokio::test]
async fn broken_reply_proves_nothing_about_a_charge() {
    // What the server does; what the gateway observes of a charge.
    let rows = [
        (Misbehaviour::HangUp, Observation::NoAnswer),
        (Misbehaviour::Half, Observation::NoAnswer),
        (Misbehaviour::Nonsense, Observation::NoAnswer),
        (Misbehaviour::Silent, Observation::NoAnswer),
        // It does not answer `GET /methods` either, so the charge itself is not sent.
        (Misbehaviour::NeverAccepts, Observation::NotReached),
    ];
    for (misbehaviour, of_charge) in rows {
        let (url, _tasks) = broken_server(misbehaviour).await;
        let gateway = gateway(&url, Duration::from_millis(400));
        assert_eq!(gateway.charge(&charge(1, "ok")).await, of_charge, "{misbehaviour:?}");
        assert_eq!(gateway.poll(key(1)).await, Observation::NoAnswer, "{misbehaviour:?}");
        assert_eq!(gateway.cancel(key(1)).await, Observation::NoAnswer, "{misbehaviour:?}");
        assert_eq!(gateway.refund(&refund(1, 1, 1)).await, RefundObservation::NoAnswer, "{misbehaviour:?}");
        assert_eq!(gateway.poll_refund(id(1)).await, RefundObservation::NoAnswer, "{misbehaviour:?}");
    }
}
