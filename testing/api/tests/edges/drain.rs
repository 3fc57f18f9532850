//! Checks that SIGTERM drains the server: it is not ready any more, streams end, pending requests are answered, and the process ends successfully.

use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::seat_map::{ResumeBy, SeatMap, SeatMapStream};
use voelgoed_testkit::until::until;

/// For each step of the drain.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

async fn answer(mut stream: TcpStream) -> anyhow::Result<String> {
    let mut text = Vec::new();
    tokio::time::timeout(DRAIN_TIMEOUT, stream.read_to_end(&mut text)).await.context("a response in time")??;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn pending_request_is_answered_before_a_terminated_server_ends() -> anyhow::Result<()> {
    let mut server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "drain").await?;
    let body = tenant.seats(2).to_string();
    let head = format!(
        "POST /api/v1/events/{}/holds HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        tenant.event,
        body.len()
    );
    // A request with an unfinished body, and one with an unfinished head.
    let mut hold = TcpStream::connect(&server.address).await?;
    hold.write_all(head.as_bytes()).await?;
    hold.write_all(&body.as_bytes()[..10]).await?;
    let mut ready = TcpStream::connect(&server.internal_address).await?;
    ready.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n").await?;
    let mut map = SeatMap::default();
    let mut stream = SeatMapStream::open(server.client(), &tenant.event, &map, ResumeBy::Since).await?;
    stream.next(&mut map).await?;
    // The response shows that the server has accepted the earlier connections.
    server.get("/livez", "").await?;
    server.send(server.internal_request("GET", "/readyz")).await?;

    server.terminate()?;
    let ended = async { while stream.next(&mut map).await.is_ok() {} };
    tokio::time::timeout(DRAIN_TIMEOUT, ended).await.context("streams end, so that viewers reconnect elsewhere")?;
    // The server drains by now, since the stream has ended.
    ready.write_all(b"Connection: close\r\n\r\n").await?;
    let ready = answer(ready).await?;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    hold.write_all(&body.as_bytes()[10..]).await?;
    let held = answer(hold).await?;
    assert!(held.starts_with("HTTP/1.1 201") && held.contains("\"expires_at\""), "{held}");
    until("new connections are refused", EFFECT_TIMEOUT, || async {
        Ok(TcpStream::connect(&server.address).await.is_err().then_some(()))
    })
    .await?;
    let status = server.wait().await?;
    assert!(status.success(), "{status}");
    Ok(())
}
