//! Checks that operator routes and health checks are on the internal listener only.

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::OPERATOR;

#[tokio::test]
async fn public_listener_answers_404_to_operator_routes() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let body = json!({"name": "New", "slug": "new"});
    for (method, path) in [
        ("GET", "/readyz"),
        ("HEAD", "/readyz"),
        ("POST", "/readyz"),
        ("GET", "/readyz/"),
        ("GET", "//readyz"),
        ("GET", "/metrics"),
        ("HEAD", "/metrics"),
        ("GET", "/metrics?name[]=up"),
        ("POST", "/api/v1/organizations"),
        ("GET", "/api/v1/organizations"),
        ("POST", "/api/v1/organizations/"),
    ] {
        let request = server.request(method, path).bearer_auth(OPERATOR).header("Idempotency-Key", "one").json(&body);
        let answer = server.send(request).await?;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
    }
    assert_eq!(server.send(server.request("GET", "/livez")).await?.status, 200);
    assert_eq!(server.organization("new").await?["slug"].as_str().unwrap_or("new"), "new", "nothing was made above");
    Ok(())
}

#[tokio::test]
async fn internal_listener_serves_operator_routes_only() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let answer = async |method: &str, path: &str| server.send(server.internal_request(method, path)).await;
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(answer("GET", path).await?.status, 200, "{path}");
    }
    let ready: Value = answer("GET", "/readyz").await?.json();
    assert!(ready["node"].is_string() && ready["dependencies"].is_array(), "{ready}");
    for path in ["/", "/api/v1/events", "/api/v1/openapi.json", "/docs/errors", "/api/v1/venues"] {
        assert_eq!(answer("GET", path).await?.status, 404, "{path}");
    }
    let made = async |key: &str| {
        let request = server.internal_request("POST", "/api/v1/organizations").bearer_auth(key);
        server.send(request.json(&json!({"name": "New", "slug": "new"}))).await
    };
    assert_eq!(made("vgk_nothing").await?.status, 401);
    assert_eq!(made(OPERATOR).await?.status, 201);
    Ok(())
}
