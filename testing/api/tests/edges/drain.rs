//! SIGTERM: not ready any more, streams end, what is under way is answered, and then the process ends in order.

use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_api_tests::server::{Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;
use voelgoed_api_tests::until;
use voelgoed_api_tests::viewer::{Connection, Map, Resume};

/// Everything here happens within this.
const SOON: Duration = Duration::from_secs(20);

async fn answer(mut stream: TcpStream) -> anyhow::Result<String> {
    let mut text = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut text)).await.context("an answer comes in time")??;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_end() -> anyhow::Result<()> {
    let mut server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "drain").await?;
    let body = tenant.seats(2).to_string();
    let head = format!(
        "POST /api/v1/events/{}/holds HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        tenant.event,
        body.len()
    );
    // A request whose body is still on its way, and one whose head is.
    let mut hold = TcpStream::connect(server.address).await?;
    hold.write_all(head.as_bytes()).await?;
    hold.write_all(&body.as_bytes()[..10]).await?;
    let mut ready = TcpStream::connect(server.internal).await?;
    ready.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n").await?;
    let mut map = Map::default();
    let mut stream = Connection::open(&server, &tenant.event, &map, Resume::Since).await?;
    stream.next(&mut map).await?;
    // Its answer says that the server has read the others too: all came before it.
    server.get("/livez", "").await?;
    server.send(server.internal_request("GET", "/readyz")).await?;

    server.terminate()?;
    let ended = async { while stream.next(&mut map).await.is_ok() {} };
    tokio::time::timeout(SOON, ended).await.context("streams end, so that viewers go on elsewhere")?;
    // By now it drains: the stream ended because of it.
    ready.write_all(b"Connection: close\r\n\r\n").await?;
    let ready = answer(ready).await?;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    hold.write_all(&body.as_bytes()[10..]).await?;
    let held = answer(hold).await?;
    assert!(held.starts_with("HTTP/1.1 201") && held.contains("\"expires_at\""), "{held}");
    until("nobody new is taken in", Duration::from_millis(5), async || {
        Ok(TcpStream::connect(server.address).await.is_err().then_some(()))
    })
    .await?;
    let status = server.ended().await?;
    assert!(status.success(), "{status}");
    Ok(())
}
