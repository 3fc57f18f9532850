//! Checks that secrets are returned once and never stored in plain, neither in the database nor in its log or directory (S4).

use std::path::Path;

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{PASSWORD, TestTenant};
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::OPERATOR;

/// The files below `directory` that contain `text`.
fn containing(directory: &Path, text: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(containing(&path, text)?);
        } else if std::fs::read(&path)?.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn data_directory_contains_no_secret_in_plain() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "secrets").await?;
    let once = async |method: &str, path: &str, key: &str, body: &Value| {
        let request = || {
            let request = match path {
                "/api/v1/organizations" => server.internal_request(method, path),
                _ => server.request(method, path),
            };
            request.bearer_auth(key).header("Idempotency-Key", format!("once-{path}")).json(body)
        };
        let (first, again) = (server.send(request()).await?, server.send(request()).await?);
        anyhow::ensure!(first.status == 201, "{path}: {} {}", first.status, first.body);
        anyhow::ensure!(first.body == again.body, "{path}: the very same bytes: {} {}", first.body, again.body);
        anyhow::ensure!(again.header("idempotency-replayed") == "true", "{path}: it was made twice");
        anyhow::Ok(first.json())
    };
    let mut secrets = vec![tenant.key.clone(), tenant.device_key.clone(), tenant.order.1.clone()];
    secrets.extend(tenant.scoped.iter().cloned());
    let organization = json!({"name": "Another", "slug": "another"});
    secrets.push(text(&once("POST", "/api/v1/organizations", OPERATOR, &organization).await?["api_key"]));
    let key = json!({"name": "shop", "scopes": ["sales"]});
    secrets.push(text(&once("POST", "/api/v1/api-keys", &tenant.key, &key).await?["secret"]));
    let device = json!({"name": "Scanner", "event": tenant.event, "gates": [tenant.gate]});
    secrets.push(text(&once("POST", "/api/v1/devices", &tenant.key, &device).await?["pairing_code"]));
    let login = server.request("POST", "/api/v1/login").json(&json!({"email": tenant.member, "password": PASSWORD}));
    let login = server.send(login).await?;
    let cookie = login.header("set-cookie").split([';', '=']).nth(1).unwrap_or_default().to_owned();
    secrets.extend([text(&login.json()["csrf"]), cookie, PASSWORD.to_owned()]);
    for secret in &secrets {
        assert!(secret.len() >= 8, "{secret:?} is no secret");
        assert_eq!(containing(server.data(), secret)?, Vec::<String>::new(), "{secret} stands in plain");
    }
    println!("{} secrets looked for in {}", secrets.len(), server.data().display());
    // The search would find a secret: it finds a name, which is stored in plain.
    assert!(!containing(server.data(), "Mem Ber")?.is_empty());
    Ok(())
}

#[tokio::test]
async fn replay_is_recognized_by_method_path_query_and_body() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "digests").await?;
    let venue = text(&server.post("/api/v1/venues", &tenant.key, &json!({"name": "Other"})).await?["id"]);
    let plan = "area,row,seat,x,y,category\nX,A,1,0,0,c\n";
    let import = async |venue: &str, plan: &str| {
        let request = server.request("POST", &format!("/api/v1/layouts/import?format=csv&venue={venue}"));
        server.send(request.bearer_auth(&tenant.key).header("Idempotency-Key", "plan").body(plan.to_owned())).await
    };
    let first = import(&tenant.venue, plan).await?;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = import(&tenant.venue, plan).await?;
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (201, &first.body, "true"));
    for (venue, plan) in [(venue.as_str(), plan), (tenant.venue.as_str(), "area,row,seat,x,y,category\nX,A,2,0,0,c\n")]
    {
        let other = import(venue, plan).await?;
        assert_eq!((other.status, other.code().as_str()), (409, "idempotency_mismatch"), "{}", other.body);
    }
    Ok(())
}
