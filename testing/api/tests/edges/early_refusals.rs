//! What is refused before a body is read: credentials without the route's scope, hosts that are none, headers that contradict themselves.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_api_tests::server::{Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;

const SOON: Duration = Duration::from_secs(30);

/// The status line and body of the answer to a head, whose body never comes.
async fn answer(server: &Server, head: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(server.address).await?;
    stream.write_all(head.as_bytes()).await?;
    let mut text = vec![0; 8_192];
    let read = tokio::time::timeout(SOON, stream.read(&mut text)).await.context("an answer")??;
    Ok(String::from_utf8_lossy(&text[..read]).into_owned())
}

#[tokio::test]
async fn a_known_credential_without_the_scope_is_refused_before_its_plan_is_read() -> anyhow::Result<()> {
    // Longer than the test waits: an answer that comes is no timeout of the body.
    let slow = [("VOELGOED__LIMITS__BODY_TIMEOUT", "300s"), ("VOELGOED__LIMITS__BODY_TIME_MAX", "300s")];
    let server = Server::start(&[WIDE, &slow].concat()).await?;
    let tenant = Tenant::make(&server, "early").await?;
    let made = server.post("/api/v1/api-keys", &tenant.key, &json!({"name": "r", "scopes": ["reports"]})).await?;
    let reports = made["secret"].as_str().context("a key")?.to_owned();
    // Known from now on.
    server.send(server.request("GET", "/api/v1/venues").bearer_auth(&reports)).await?;
    server.post("/api/v1/scans", &tenant.device_key, &tenant.scan_of(&tenant.code)).await?;
    let import = format!("/api/v1/layouts/import?format=csv&venue={}", tenant.venue);
    let flags = format!("/api/v1/layouts/{}/flags", tenant.layout);
    for (method, path) in [
        ("POST", "/api/v1/layouts"),
        ("POST", &import),
        ("PATCH", &flags),
        ("POST", "/api/v1/venues"),
        ("POST", "/api/v1/gates"),
    ] {
        for (key, status) in [(&reports, "403"), (&tenant.device_key, "401")] {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
                 Content-Length: 60000\r\n\r\n{{"
            );
            let answer = answer(&server, &head).await?;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {path}: {answer}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn hosts_that_are_none_and_headers_that_contradict_themselves_are_bad_requests() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    for (host, status) in [
        ("shop.example", "200"),
        ("shop.example:8080", "200"),
        ("[2001:db8::1]:443", "200"),
        ("a,b", "400"),
        ("a:b", "400"),
        ("a:65536", "400"),
        ("a:", "400"),
        (":80", "400"),
        ("[zz]", "400"),
        ("[::1]x", "400"),
    ] {
        let answer = answer(&server, &format!("GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n")).await?;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    for name in ["Authorization", "Idempotency-Key", "X-Token", "X-Session", "Content-Type"] {
        for (second, expected) in [("b", "HTTP/1.1 400"), ("a", "HTTP/1.1 200")] {
            let head = format!(
                "GET /api/v1/events HTTP/1.1\r\nHost: x\r\n{name}: a\r\n{}: {second}\r\n\r\n",
                name.to_lowercase()
            );
            let answer = answer(&server, &head).await?;
            assert!(answer.starts_with(expected), "{name} {second}: {answer}");
        }
    }
    Ok(())
}
