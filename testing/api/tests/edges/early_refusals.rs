//! Checks what is refused before a body is read: credentials without the route's scope, invalid hosts, contradicting headers.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends a head without its body, and returns the response.
async fn answer(server: &TestServer, head: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(&server.address).await?;
    stream.write_all(head.as_bytes()).await?;
    let mut text = vec![0; 8_192];
    let read = tokio::time::timeout(RESPONSE_TIMEOUT, stream.read(&mut text)).await.context("an answer")??;
    Ok(String::from_utf8_lossy(&text[..read]).into_owned())
}

#[tokio::test]
async fn known_credential_without_the_scope_is_refused_before_the_body_is_read() -> anyhow::Result<()> {
    // Longer than the test waits, so that a response is not a body timeout.
    let slow = [("VOELGOED__LIMITS__BODY_TIMEOUT", "300s"), ("VOELGOED__LIMITS__BODY_TIME_MAX", "300s")];
    let server = start_server(&[UNLIMITED, &slow].concat()).await?;
    let tenant = TestTenant::make(&server, "early").await?;
    let made = server.post("/api/v1/api-keys", &tenant.key, &json!({"name": "r", "scopes": ["reports"]})).await?;
    let reports = made["secret"].as_str().context("a key")?.to_owned();
    // Caches the credentials.
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
async fn invalid_hosts_and_contradicting_headers_are_bad_requests() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
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
