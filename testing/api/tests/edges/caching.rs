//! Checks which responses are cacheable and which have a session: a personal response is `no-store`, and a cacheable one has no session.

use serde_json::json;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::server::{OPERATOR, TestServer};

fn cookies(answer: &ApiResponse) -> Vec<&str> {
    answer.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()).collect()
}

async fn read(server: &TestServer, path: &str, accept: &str) -> anyhow::Result<ApiResponse> {
    server.send(server.request("GET", path).header("Accept", accept)).await
}

#[tokio::test]
async fn personal_response_is_not_cacheable_and_cacheable_response_has_no_session() -> anyhow::Result<()> {
    let server = start_server(&[]).await?;
    let tenant = TestTenant::make(&server, "kept").await?;
    let (hold, order) = (&tenant.hold, &tenant.order);
    let event = &tenant.event;
    let personal = [
        format!("/api/v1/holds/{}?token={}", hold.0, hold.1),
        format!("/api/v1/holds/{}?token=wrong", hold.0),
        format!("/api/v1/orders/{}?token={}", order.0, order.1),
        format!("/api/v1/tickets/{}.svg?token={}", tenant.ticket, order.1),
        format!("/api/v1/tickets/{}.png?token={}", tenant.ticket, order.1),
        format!("/holds/{}?token={}", hold.0, hold.1),
        format!("/orders/{}?token={}", order.0, order.1),
        format!("/orders/{}/payments", order.0),
        "/mine".to_owned(),
        "/".to_owned(),
        format!("/events/{event}"),
        "/nowhere".to_owned(),
    ];
    for path in &personal {
        for accept in ["text/html", "application/json"] {
            let answer = read(&server, path, accept).await?;
            assert_eq!(answer.header("cache-control"), "no-store", "{path} as {accept}: {}", answer.status);
        }
    }
    for path in ["/api/v1/orders", "/api/v1/members", "/api/v1/scans", "/api/v1/audit", "/api/v1/ledger/entries"] {
        for key in [tenant.key.as_str(), OPERATOR] {
            let answer = server.send(server.request("GET", path).bearer_auth(key)).await?;
            assert_eq!(answer.header("cache-control"), "no-store", "{path}: {}", answer.status);
        }
    }
    let page = read(&server, &format!("/events/{event}"), "text/html").await?;
    let asset = page.body.split('"').find(|text| text.starts_with("/assets/")).unwrap_or_default().to_owned();
    for path in [
        format!("/api/v1/events/{event}/map"),
        format!("/api/v1/events/{event}/availability"),
        format!("/api/v1/events/{event}"),
        "/api/v1/events".to_owned(),
        "/api/v1/openapi.json".to_owned(),
        asset,
        "/".to_owned(),
        "/docs/errors".to_owned(),
    ] {
        let answer = read(&server, &path, "*/*").await?;
        assert_eq!((answer.status, cookies(&answer)), (200, vec![]), "{path}");
        let is_kept = !answer.header("cache-control").contains("no-store");
        assert!(!is_kept || answer.header("x-session").is_empty(), "{path} names a session");
    }
    Ok(())
}

#[tokio::test]
async fn session_is_created_by_the_first_response_that_needs_one_and_is_kept() -> anyhow::Result<()> {
    let server = start_server(&[]).await?;
    let tenant = TestTenant::make(&server, "session").await?;
    let page = format!("/events/{}", tenant.event);
    let first = read(&server, &page, "text/html").await?;
    let [cookie] = cookies(&first)[..] else { panic!("the page with the form sets one cookie: {:?}", first.headers) };
    assert!(
        cookie.starts_with("vg_session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let again = server.send(server.request("GET", &page).header("Cookie", &cookie)).await?;
    assert_eq!(cookies(&again), Vec::<&str>::new());
    let holds = server.request("POST", &format!("/api/v1{page}/holds")).json(&tenant.seats(2));
    assert_eq!(server.send(holds.header("Cookie", &cookie)).await?.status, 201);
    let mine = server.send(server.request("GET", "/mine").header("Cookie", &cookie)).await?;
    assert!(mine.body.contains("Reserved for you") && cookies(&mine).is_empty(), "{}", mine.body);
    let stranger = server.send(server.request("POST", &format!("/api/v1{page}/holds")).json(&tenant.seats(1))).await?;
    assert_eq!(cookies(&stranger).len(), 1, "a hold needs a session");
    assert_eq!(first.header("strict-transport-security"), "", "not over plain HTTP");
    Ok(())
}

#[tokio::test]
async fn cookies_over_tls_are_bound_to_the_host_and_hsts_is_sent() -> anyhow::Result<()> {
    let server = start_server(&[
        ("VOELGOED__SERVER__SECURE_COOKIES", "true"),
        ("VOELGOED__SERVER__PUBLIC_URL", "https://shop.example"),
        // The sandbox provider cannot run behind an https address.
        ("VOELGOED__SANDBOX__ENABLED", "false"),
    ])
    .await?;
    let tenant = TestTenant::make(&server, "tls").await?;
    let page = format!("/events/{}", tenant.event);
    let first = read(&server, &page, "text/html").await?;
    assert!(first.header("strict-transport-security").starts_with("max-age=31536000"), "{:?}", first.headers);
    let [cookie] = cookies(&first)[..] else { panic!("{:?}", first.headers) };
    assert!(cookie.starts_with("__Host-vg_session=") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("Path=/;") && !cookie.contains("Domain"), "{cookie}");
    let session = cookie.split(';').next().unwrap_or_default().to_owned();
    let known = server.send(server.request("GET", &page).header("Cookie", &session)).await?;
    assert_eq!(cookies(&known), Vec::<&str>::new());
    // Without the prefix, which another host of the domain could set, the cookie is not accepted.
    let plain = session.trim_start_matches("__Host-").to_owned();
    let unknown = server.send(server.request("GET", &page).header("Cookie", &plain)).await?;
    assert_eq!(cookies(&unknown).len(), 1);
    let login = json!({"email": tenant.member, "password": voelgoed_api_tests::tenant::PASSWORD});
    let login = server.send(server.request("POST", "/api/v1/login").json(&login)).await?;
    let found = cookies(&login);
    assert!(found.iter().all(|cookie| cookie.starts_with("__Host-")), "{found:?}");
    let cookie = found.iter().find(|cookie| cookie.starts_with("__Host-vg_login=")).copied().unwrap_or_default();
    assert!(cookie.contains("; Secure"), "{cookie}");
    let login = cookie.split(';').next().unwrap_or_default().to_owned();
    assert_eq!(server.send(server.request("GET", "/api/v1/orders").header("Cookie", &login)).await?.status, 200);
    Ok(())
}
