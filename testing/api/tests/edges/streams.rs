//! Checks the ends of streams, after a sale and after a revocation, and the limit of each kind of stream.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_domain::time::Timestamp;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;
use voelgoed_testkit::sse::SseStream;
use voelgoed_testkit::until::until;

/// The names of the remaining events until the stream ends, without comments.
async fn to_the_end(events: &mut SseStream) -> anyhow::Result<Vec<String>> {
    let mut kinds = Vec::new();
    while let Some(frame) = events.next().await? {
        kinds.extend(Some(frame.event).filter(|kind| !kind.is_empty()));
    }
    Ok(kinds)
}

fn watching(server: &TestServer, event: &str) -> RequestBuilder {
    server.request("GET", &format!("/api/v1/events/{event}/stream"))
}

#[tokio::test]
async fn stream_ends_when_the_organizer_closes_the_sale() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "closed").await?;
    let mut early = SseStream::open(watching(&server, &tenant.event)).await?;
    assert_eq!(early.next().await?.map(|frame| frame.event).as_deref(), Some("snapshot"));
    server.post(&format!("/api/v1/events/{}/pause", tenant.event), &tenant.key, &Value::Null).await?;
    server.post(&format!("/api/v1/events/{}/open", tenant.event), &tenant.key, &Value::Null).await?;
    server.post(&format!("/api/v1/events/{}/close", tenant.event), &tenant.key, &Value::Null).await?;
    assert_eq!(to_the_end(&mut early).await?.last().map(String::as_str), Some("ended"));
    let mut late = SseStream::open(watching(&server, &tenant.event)).await?;
    assert_eq!(to_the_end(&mut late).await?, ["snapshot", "ended"]);
    Ok(())
}

#[tokio::test]
async fn stream_ends_when_the_sale_window_closes() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "window").await?;
    let now = async || -> anyhow::Result<Timestamp> {
        let event = server.get(&format!("/api/v1/events/{}", tenant.event), "").await?;
        Ok(serde_json::from_value(event["now"].clone())?)
    };
    let began = now().await?;
    let closes_at = began.plus(Duration::from_secs(3));
    let body = json!({
        "name": "Short", "layout": tenant.layout, "starts_at": began.plus(Duration::from_secs(3600)), "timezone": "UTC",
        "currency": "EUR", "sale": {"opens_at": "2020-01-01T00:00:00Z", "closes_at": closes_at},
    });
    let event = server.post("/api/v1/events", &tenant.key, &body).await?["id"].as_str().unwrap_or_default().to_owned();
    let body = json!({"event": event, "name": "Friend", "price": {"amount": 0, "currency": "EUR"}});
    server.post("/api/v1/ticket-types", &tenant.key, &body).await?;
    server.post(&format!("/api/v1/events/{event}/publish"), &tenant.key, &Value::Null).await?;
    let mut events = SseStream::open(watching(&server, &event)).await?;
    assert_eq!(to_the_end(&mut events).await?.last().map(String::as_str), Some("ended"));
    assert!(now().await? >= closes_at, "not before its time");
    Ok(())
}

#[tokio::test]
async fn stream_of_a_revoked_device_ends() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "revoked").await?;
    let listening = || server.request("GET", "/api/v1/devices/me/stream").bearer_auth(&tenant.device_key);
    let mut events = SseStream::open(listening()).await?;
    let scanned = server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(&tenant.code)).await?;
    assert_eq!(scanned["result"], "admitted");
    assert_eq!(events.next().await?.map(|frame| frame.event).as_deref(), Some("admitted"));
    let revoke = server.request("DELETE", &format!("/api/v1/devices/{}", tenant.device)).bearer_auth(&tenant.key);
    assert_eq!(server.send(revoke).await?.status, 204);
    assert_eq!(to_the_end(&mut events).await?, [""; 0]);
    assert_eq!(server.send(listening()).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn each_kind_of_stream_has_its_own_limit() -> anyhow::Result<()> {
    let one = ["VIEWERS", "ORDER_STREAMS", "DEVICE_STREAMS"].map(|name| format!("VOELGOED__LIMITS__{name}"));
    let one: Vec<_> = one.iter().map(|name| (name.as_str(), "1")).collect();
    let server = start_server(&[UNLIMITED, &one].concat()).await?;
    let tenant = TestTenant::make(&server, "kinds").await?;
    let order = || {
        server.request("GET", &format!("/api/v1/orders/{}/stream", tenant.order.0)).header("X-Token", &tenant.order.1)
    };
    let device = || server.request("GET", "/api/v1/devices/me/stream").bearer_auth(&tenant.device_key);
    let viewer = || watching(&server, &tenant.event);
    // One stream of each kind is accepted, and no second one.
    let open = (SseStream::open(order()).await?, SseStream::open(device()).await?, SseStream::open(viewer()).await?);
    for (request, limit) in [(order(), "order_streams"), (device(), "device_streams"), (viewer(), "viewers")] {
        let answer = server.send(request).await?;
        assert_eq!((answer.status, answer.code().as_str()), (503, "overloaded"), "{}", answer.body);
        assert_eq!(answer.json()["limit"], json!({"name": limit, "most": 1}));
        assert!(!answer.header("retry-after").is_empty());
    }
    drop(open);
    let kinds: [&dyn Fn() -> RequestBuilder; 2] = [&order, &device];
    for request in kinds {
        until("a place is free again", EFFECT_TIMEOUT, || async { Ok(SseStream::open(request()).await.ok()) }).await?;
    }
    Ok(())
}
