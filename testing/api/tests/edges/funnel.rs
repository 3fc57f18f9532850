//! Checks that the funnel counts every step once, for its organizer only, within a span.

use std::time::Duration;

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{SCOPES, TestTenant};
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

/// Nodes publish their counts every five seconds.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(60);

async fn total(server: &TestServer, tenant: &TestTenant) -> anyhow::Result<Value> {
    Ok(server.get(&format!("/api/v1/events/{}/funnel", tenant.event), &tenant.key).await?["total"].clone())
}

#[tokio::test]
async fn every_funnel_step_is_counted_once() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    // Making the tenant took two holds, one of them ordered and paid, and one read of the event.
    let tenant = TestTenant::make(&server, "funnel").await?;
    for _ in 0..4 {
        server.get(&format!("/api/v1/events/{}", tenant.event), "").await?;
    }
    // Two buyers want one place.
    let wish = json!({"items": [{"place": 79, "ticket_type": tenant.ticket_type}]});
    for status in [201, 409] {
        let hold = server.request("POST", &format!("/api/v1/events/{}/holds", tenant.event)).json(&wish);
        assert_eq!(server.send(hold).await?.status, status);
    }
    let scan = server.request("POST", "/api/v1/scans").bearer_auth(&tenant.device_key);
    assert_eq!(server.send(scan.json(&tenant.scan_of(&tenant.code))).await?.json()["result"], "admitted");
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let arrived = async {
        loop {
            ticks.tick().await;
            let seen = total(&server, &tenant).await?;
            if seen["viewed"] == 5 && seen["held"] == 3 {
                return anyhow::Ok(seen);
            }
        }
    };
    let seen = tokio::time::timeout(PUBLISH_TIMEOUT, arrived).await??;
    for (step, times) in [("refused", 1), ("ordered", 1), ("paid", 1), ("admitted", 1)] {
        assert_eq!(seen[step], times, "{step}: {seen}");
    }
    Ok(())
}

#[tokio::test]
async fn funnel_needs_the_reports_scope_and_a_valid_span() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "asks").await?;
    let path = format!("/api/v1/events/{}/funnel", tenant.event);
    for (scope, key) in SCOPES.iter().zip(&tenant.scoped) {
        let status = server.send(server.request("GET", &path).bearer_auth(key)).await?.status;
        assert_eq!(status, if *scope == "reports" { 200 } else { 403 }, "{scope}");
    }
    for (span, status) in [
        ("from=2026-01-01T10:00:00Z&to=2026-01-02T10:00:00Z", 200),
        ("from=2026-01-01T10:00:59Z&to=2026-01-02T10:00:59Z", 200),
        ("from=2026-01-01T10:00:00Z&to=2026-01-02T10:01:00Z", 400),
        ("from=2026-01-01T10:00:00Z&to=2026-01-01T10:00:00Z", 400),
        ("from=2026-01-01T10:00:01Z&to=2026-01-01T10:00:02Z", 200),
        ("from=yesterday", 400),
    ] {
        let request = server.request("GET", &format!("{path}?{span}")).bearer_auth(&tenant.key);
        assert_eq!(server.send(request).await?.status, status, "{span}");
    }
    Ok(())
}
