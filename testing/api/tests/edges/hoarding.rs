//! Hoards slow bodies, connections, streams and unread responses from one address, and checks that other clients are served.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use reqwest::RequestBuilder;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::sse::SseStream;
use voelgoed_testkit::until::until;

/// For a response or the end of a connection.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection from `127.0.0.{last}`, with a small window.
async fn from(last: u8, to: &str) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0)))?;
    Ok(socket.connect(to.parse()?).await?)
}

/// Reads until the connection ends.
async fn read_to_end(mut stream: TcpStream) -> anyhow::Result<String> {
    let mut text = Vec::new();
    tokio::time::timeout(RESPONSE_TIMEOUT, stream.read_to_end(&mut text)).await.context("the connection ends")??;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

async fn send(last: u8, to: &str, text: &str) -> anyhow::Result<TcpStream> {
    let mut stream = from(last, to).await?;
    stream.write_all(text.as_bytes()).await?;
    Ok(stream)
}

/// A request with an unfinished body.
fn unfinished(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{{")
}

#[tokio::test]
async fn slow_bodies_do_not_block_other_requests() -> anyhow::Result<()> {
    let few = [("VOELGOED__SERVER__MOST_IN_FLIGHT", "40"), ("VOELGOED__LIMITS__BODY_TIMEOUT", "4s")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let tenant = TestTenant::make(&server, "slow").await?;
    let holds = format!("/api/v1/events/{}/holds", tenant.event);
    let mut slow = Vec::new();
    for path in ["/api/v1/orders", "/api/v1/scans", "/holds/hold_x/order", &holds, "/api/v1/providers/sandbox/callback"]
    {
        for _ in 0..40 {
            slow.push(send(2, &server.address, &unfinished(path)).await?);
        }
    }
    for _ in 0..3 {
        assert_eq!(server.send(server.request("GET", "/livez")).await?.status, 200);
        assert_eq!(server.send(server.internal_request("GET", "/readyz")).await?.status, 200);
        assert_eq!(
            server.send(server.request("GET", &format!("/api/v1/events/{}/map", tenant.event))).await?.status,
            200
        );
        let hold = tenant.hold_seats(&server, 1).await?;
        tenant.order(&server, &hold).await?;
        server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(&tenant.code)).await?;
    }
    for stream in slow {
        let answer = read_to_end(stream).await?;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"body_timeout\""), "{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn unfinished_bodies_are_limited_by_address() -> anyhow::Result<()> {
    let few = [("VOELGOED__LIMITS__BODIES_PER_ADDRESS_MAX", "3")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let tenant = TestTenant::make(&server, "bodies").await?;
    // A busy server may shed one of the first requests, so each body that is not refused stays open.
    let open = std::sync::Mutex::new(Vec::new());
    until("a further one is refused", EFFECT_TIMEOUT, || async {
        let mut stream = send(2, &server.address, &unfinished("/api/v1/orders")).await?;
        let mut answer = vec![0; 4_096];
        let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer)).await;
        let Ok(read) = read else {
            open.lock().unwrap().push(stream);
            return Ok(None);
        };
        let answer = String::from_utf8_lossy(&answer[..read?]).into_owned();
        Ok((answer.starts_with("HTTP/1.1 429") && answer.contains("bodies_per_address_max")).then_some(()))
    })
    .await?;
    assert_eq!(open.lock().unwrap().len(), 3, "as many as the limit are open");
    // A complete request is not limited, from any address.
    assert!(tenant.hold_seats(&server, 1).await.is_ok());
    drop(open);
    Ok(())
}

#[tokio::test]
async fn connections_are_limited_by_address() -> anyhow::Result<()> {
    let few = [("VOELGOED__SERVER__CONNECTIONS_PER_ADDRESS_MAX", "5"), ("VOELGOED__SERVER__MOST_CONNECTIONS", "12")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let mut served = Vec::new();
    let mut closed = 0;
    for _ in 0..20 {
        let mut stream = send(3, &server.address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await?;
        let mut answer = [0; 12];
        match tokio::time::timeout(RESPONSE_TIMEOUT, stream.read_exact(&mut answer)).await? {
            Ok(_) => served.push(stream),
            Err(_ended) => closed += 1,
        }
    }
    assert_eq!((served.len(), closed), (5, 15));
    for _ in 0..3 {
        assert_eq!(server.send(server.request("GET", "/livez")).await?.status, 200, "another address has its own");
        assert_eq!(server.send(server.internal_request("GET", "/livez")).await?.status, 200);
    }
    drop(served);
    until("who has left makes room", EFFECT_TIMEOUT, || async {
        let stream = send(3, &server.address, "GET /livez HTTP/1.0\r\n\r\n").await?;
        Ok(read_to_end(stream)
            .await
            .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200"))
            .then_some(()))
    })
    .await
}

#[tokio::test]
async fn connection_of_a_client_that_never_reads_is_closed() -> anyhow::Result<()> {
    let few = [("VOELGOED__SERVER__WRITE_TIMEOUT", "1s")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let request = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut readers = Vec::new();
    for _ in 0..3 {
        let mut stream = from(4, &server.address).await?;
        let (_, mut write) = stream.split();
        // More responses than any buffer holds: the server stops reading when it cannot write.
        let _full = tokio::time::timeout(Duration::from_secs(2), write.write_all(request.repeat(200).as_bytes())).await;
        readers.push(stream);
    }
    until("the server closes them", EFFECT_TIMEOUT, || async {
        let metrics = server.send(server.internal_request("GET", "/metrics")).await?.body;
        let line = metrics.lines().find(|line| line.starts_with("voelgoed_connections_stalled_total"));
        let closed = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).unwrap_or_default();
        Ok((closed >= 3.0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn reads_are_limited_by_address_and_health_checks_are_not() -> anyhow::Result<()> {
    let few = [("VOELGOED__LIMITS__READ_BURST", "10"), ("VOELGOED__LIMITS__READ_PER", "10m")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let mut statuses = Vec::new();
    for path in ["/", "/api/v1/events", "/api/v1/openapi.json", "/docs/errors", "/nothing", "/favicon.ico"].repeat(2) {
        let answer = server.send(server.request("GET", path)).await?;
        if answer.status == 429 {
            assert_eq!(answer.json()["limit"], json!({"name": "reads_per_address", "most": 10}));
        }
        statuses.push(answer.status);
    }
    // The icon redirects to another path, which is a read too.
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 3, "{statuses:?}");
    assert_eq!(server.send(server.request("GET", "/livez")).await?.status, 200);
    assert_eq!(server.send(server.internal_request("GET", "/metrics")).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn new_stream_ends_the_oldest_stream_of_the_same_holder() -> anyhow::Result<()> {
    let one = [
        ("VOELGOED__LIMITS__VIEWERS_PER_SESSION_MAX", "1"),
        ("VOELGOED__LIMITS__ORDER_STREAMS_PER_ORDER_MAX", "1"),
        ("VOELGOED__LIMITS__DEVICE_STREAMS_PER_DEVICE_MAX", "1"),
        ("VOELGOED__LIMITS__ORDER_STREAMS", "1"),
        ("VOELGOED__LIMITS__DEVICE_STREAMS", "1"),
    ];
    let server = start_server(&[UNLIMITED, &one].concat()).await?;
    let tenant = TestTenant::make(&server, "newest").await?;
    let known = server.send(server.request("GET", "/api/v1/events")).await?;
    let session = known.header("x-session").to_owned();
    let watching = |session: &str| {
        server.request("GET", &format!("/api/v1/events/{}/stream", tenant.event)).header("X-Session", session)
    };
    let order = || {
        server.request("GET", &format!("/api/v1/orders/{}/stream", tenant.order.0)).header("X-Token", &tenant.order.1)
    };
    let device = || server.request("GET", "/api/v1/devices/me/stream").bearer_auth(&tenant.device_key);
    let viewer = || watching(&session);
    let kinds: [&dyn Fn() -> RequestBuilder; 3] = [&viewer, &order, &device];
    for request in kinds {
        let mut oldest = SseStream::open(request()).await?;
        let _newest = SseStream::open(request()).await?;
        let ended = async { while matches!(oldest.next().await, Ok(Some(_))) {} };
        tokio::time::timeout(RESPONSE_TIMEOUT, ended).await.context("the oldest ends")?;
    }
    // A stream of another session does not end this one.
    let mut mine = SseStream::open(watching(&session)).await?;
    assert!(mine.next().await?.is_some());
    let stranger = server.send(server.request("GET", "/api/v1/events")).await?.header("x-session").to_owned();
    let _theirs = SseStream::open(watching(&stranger)).await?;
    let hold = tenant.hold_seats(&server, 1).await?;
    assert!(!hold.0.is_empty());
    assert!(mine.next().await?.is_some(), "it goes on, and shows what a hold changes");
    Ok(())
}

#[tokio::test]
async fn viewers_are_limited_by_address_and_organization() -> anyhow::Result<()> {
    let few = [
        ("VOELGOED__LIMITS__VIEWERS", "10"),
        ("VOELGOED__LIMITS__VIEWERS_PER_ADDRESS_MAX", "3"),
        ("VOELGOED__LIMITS__VIEWERS_PER_ORGANIZATION_MAX", "5"),
    ];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let (one, other) = (TestTenant::make(&server, "one").await?, TestTenant::make(&server, "other").await?);
    let watch = async |last: u8, event: &str| -> anyhow::Result<(TcpStream, String)> {
        let request = format!("GET /api/v1/events/{event}/stream HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut stream = send(last, &server.address, &request).await?;
        let mut answer = vec![0; 2_048];
        let read = tokio::time::timeout(RESPONSE_TIMEOUT, stream.read(&mut answer)).await??;
        Ok((stream, String::from_utf8_lossy(&answer[..read]).into_owned()))
    };
    let mut open = Vec::new();
    for (last, event, status, limit) in [
        (5, &one.event, "200", ""),
        (5, &one.event, "200", ""),
        (5, &one.event, "200", ""),
        (5, &one.event, "429", "viewers_per_address_max"),
        (6, &one.event, "200", ""),
        (6, &one.event, "200", ""),
        (6, &one.event, "503", "viewers_per_organization_max"),
        (6, &other.event, "200", ""),
    ] {
        let (stream, answer) = watch(last, event).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(limit),
            "{last} {limit}: {answer}"
        );
        open.push(stream);
    }
    Ok(())
}

#[tokio::test]
async fn large_response_is_cached_compressed_and_plain() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "map").await?;
    let map = format!("/api/v1/events/{}/map", tenant.event);
    for path in [map.as_str(), "/api/v1/openapi.json"] {
        let plain = server.send(server.request("GET", path)).await?;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, ""), "{path}");
        assert!(plain.json().is_object() && plain.header("vary").contains("accept-encoding"), "{path}");
        for _ in 0..2 {
            let gzip = server.send(server.request("GET", path).header("Accept-Encoding", "gzip, br")).await?;
            assert_eq!((gzip.status, gzip.header("content-encoding")), (200, "gzip"), "{path}");
            assert!(gzip.header("content-length").parse::<usize>()? < plain.body.len(), "{path}");
        }
    }
    let etag = server.send(server.request("GET", &map)).await?.header("etag").to_owned();
    let again = server.send(server.request("GET", &map).header("If-None-Match", &etag)).await?;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    Ok(())
}

#[tokio::test]
async fn request_without_exactly_one_valid_host_is_refused() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    for (head, status) in [
        ("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"),
        ("GET /livez HTTP/1.0\r\n\r\n", "200"),
        ("GET http://x/livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"),
        ("GET /livez HTTP/1.1\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost:\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: x, y\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
        ("GET http://y/livez HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("POST /api/v1/orders HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "400"),
    ] {
        for to in [&server.address, &server.internal_address] {
            if to == &server.internal_address && head.starts_with("POST") {
                continue;
            }
            let second = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            let answer = read_to_end(send(1, to, &format!("{head}{second}")).await?).await?;
            assert_eq!(answer.split(' ').nth(1), Some(status), "{head:?}: {answer}");
            assert_eq!(answer.matches("HTTP/1.").count(), 1, "one answer and the end: {answer}");
        }
    }
    Ok(())
}
