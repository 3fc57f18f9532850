//! Checks for every granter, every route that grants scopes, and every scope that only scopes of the granter can be granted (S2).

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{SCOPES, TestTenant};
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

const ADMIN: &str = "admin";

/// Each scope alone, and `admin` with each other scope.
fn granters() -> Vec<Vec<&'static str>> {
    let pairs = SCOPES.iter().filter(|scope| **scope != ADMIN).map(|scope| vec![ADMIN, scope]);
    SCOPES.iter().map(|scope| vec![*scope]).chain(pairs).collect()
}

async fn key_with(server: &TestServer, tenant: &TestTenant, scopes: &[&str]) -> anyhow::Result<String> {
    let made = server.post("/api/v1/api-keys", &tenant.key, &json!({"name": "granter", "scopes": scopes})).await?;
    Ok(made["secret"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn scope_can_be_granted_only_by_its_holder() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "grants").await?;
    let body =
        json!({"name": "Target", "email": "target@example.org", "password": "correct horse battery", "scopes": []});
    let target =
        server.post("/api/v1/members", &tenant.key, &body).await?["id"].as_str().unwrap_or_default().to_owned();
    let target = format!("/api/v1/members/{target}");
    let (mut failures, mut judged) = (Vec::new(), 0);
    for granter in granters() {
        let key = key_with(&server, &tenant, &granter).await?;
        for given in SCOPES {
            let email = format!("{}-{given}@example.org", granter.join("-"));
            let member = json!({"name": "New", "email": email, "password": "correct horse battery", "scopes": [given]});
            let device = json!({"name": "New", "event": tenant.event, "gates": [tenant.gate]});
            for (method, path, body, allowed) in [
                ("POST", "/api/v1/members", member, granter.contains(&ADMIN) && granter.contains(given)),
                (
                    "POST",
                    "/api/v1/api-keys",
                    json!({"name": "New", "scopes": [given]}),
                    granter.contains(&ADMIN) && granter.contains(given),
                ),
                ("PATCH", &target, json!({"scopes": [given]}), granter.contains(&ADMIN) && granter.contains(given)),
                ("POST", "/api/v1/devices", device, granter.contains(&"scanning")),
            ] {
                let answer = server.send(server.request(method, path).bearer_auth(&key).json(&body)).await?;
                judged += 1;
                let fits = match allowed {
                    true => answer.is_success(),
                    false => answer.status == 403 && answer.code() == "missing_scope",
                };
                if !fits {
                    failures
                        .push(format!("{granter:?} {method} {path} gives {given}: {} {}", answer.status, answer.body));
                }
                if method == "PATCH" && answer.is_success() {
                    server
                        .send(server.request("PATCH", path).bearer_auth(&tenant.key).json(&json!({"scopes": []})))
                        .await?;
                }
            }
        }
    }
    assert!(failures.is_empty(), "{} of {judged}:\n{}", failures.len(), failures.join("\n"));
    println!("{judged} grants judged");
    Ok(())
}

#[tokio::test]
async fn password_of_a_member_with_more_scopes_cannot_be_reset() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "takeover").await?;
    let weak = key_with(&server, &tenant, &[ADMIN]).await?;
    let owner = format!("/api/v1/members/{}", tenant.member_id);
    let reset = json!({"password": "another horse battery"});
    let answer =
        server.send(server.request("POST", &format!("{owner}/password")).bearer_auth(&weak).json(&reset)).await?;
    assert_eq!((answer.status, answer.code().as_str()), (403, "missing_scope"), "{}", answer.body);
    // Disabling needs only `admin`; enabling grants the member's scopes again.
    for (key, disabled, status) in [(&weak, true, 200), (&weak, false, 403), (&tenant.key, false, 200)] {
        let body: Value = json!({"disabled": disabled});
        let answer = server.send(server.request("PATCH", &owner).bearer_auth(key).json(&body)).await?;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    Ok(())
}

#[tokio::test]
async fn scope_is_checked_before_the_body_is_read() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "early").await?;
    let reports = key_with(&server, &tenant, &["reports"]).await?;
    for path in ["/api/v1/layouts".to_owned(), format!("/api/v1/layouts/import?format=csv&venue={}", tenant.venue)] {
        for (key, status) in [("vgk_AAAA", 401), (reports.as_str(), 403)] {
            // Neither JSON nor a plan, which would be another error if it were read.
            let request =
                server.request("POST", &path).bearer_auth(key).header("Content-Type", "application/json").body("{");
            let answer = server.send(request).await?;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
        }
    }
    Ok(())
}
