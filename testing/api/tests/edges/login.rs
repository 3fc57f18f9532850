//! Checks logins of members: a cookie that scripts cannot read, and a CSRF token for every write.

use serde_json::json;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{PASSWORD, TestTenant};
use voelgoed_testkit::limits::UNLIMITED;

#[tokio::test]
async fn login_reads_with_its_cookie_and_writes_with_its_csrf_token() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "login").await?;
    for (email, password) in
        [(tenant.member.as_str(), "not the password"), ("nobody@example.org", PASSWORD), (&tenant.member, "")]
    {
        let answer = server
            .send(server.request("POST", "/api/v1/login").json(&json!({"email": email, "password": password})))
            .await?;
        assert_eq!((answer.status, answer.header("set-cookie")), (401, ""), "{email} {password}");
    }
    let login = server.request("POST", "/api/v1/login").json(&json!({"email": tenant.member, "password": PASSWORD}));
    let login = server.send(login).await?;
    assert_eq!(login.status, 200, "{}", login.body);
    assert_eq!(login.json()["organization"], tenant.organization.as_str());
    let set = login.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = set.split(';').next().unwrap_or_default().to_owned();
    let csrf = login.json()["csrf"].as_str().unwrap_or_default().to_owned();
    let with = |method: &str, path: &str| server.request(method, path).header("Cookie", &cookie);
    assert_eq!(server.send(with("GET", "/api/v1/venues")).await?.status, 200);

    let venue = json!({"name": "By hand"});
    for (token, status, code) in
        [(None, 403, "csrf_mismatch"), (Some("x"), 403, "csrf_mismatch"), (Some(csrf.as_str()), 201, "")]
    {
        let request = with("POST", "/api/v1/venues").json(&venue);
        let request = match token {
            Some(token) => request.header("X-CSRF-Token", token),
            None => request,
        };
        let answer = server.send(request).await?;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{token:?}: {}", answer.body);
    }
    assert_eq!(server.send(with("POST", "/api/v1/logout")).await?.status, 403, "the member stays logged in");
    let out = server.send(with("POST", "/api/v1/logout").header("X-CSRF-Token", &csrf)).await?;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{}", out.header("set-cookie"));
    assert_eq!(server.send(with("GET", "/api/v1/venues")).await?.status, 401, "the cookie is over, not only forgotten");
    Ok(())
}

#[tokio::test]
async fn revoked_key_is_refused_at_once() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "revoke").await?;
    let made = server.post("/api/v1/api-keys", &tenant.key, &json!({"name": "short", "scopes": ["catalog"]})).await?;
    let (id, secret) = (made["id"].as_str().unwrap_or_default(), made["secret"].as_str().unwrap_or_default());
    server.get("/api/v1/venues", secret).await?;
    let revoke = server.request("DELETE", &format!("/api/v1/api-keys/{id}")).bearer_auth(&tenant.key);
    assert_eq!(server.send(revoke).await?.status, 204);
    assert_eq!(server.send(server.request("GET", "/api/v1/venues").bearer_auth(secret)).await?.status, 401);
    let device = server.request("DELETE", &format!("/api/v1/devices/{}", tenant.device)).bearer_auth(&tenant.key);
    assert_eq!(server.send(device).await?.status, 204);
    let scan =
        server.request("POST", "/api/v1/scans").bearer_auth(&tenant.device_key).json(&tenant.scan_of(&tenant.code));
    assert_eq!(server.send(scan).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn buyer_has_one_session_by_cookie_or_header() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "session").await?;
    let path = format!("/api/v1/events/{}", tenant.event);
    let shown = server.send(server.request("GET", &path)).await?;
    assert_eq!(shown.header("set-cookie"), "", "reading needs no session");
    assert!(!shown.header("x-session").is_empty(), "clients without cookies are given one at once");
    let first = server.send(server.request("POST", &format!("{path}/holds")).json(&tenant.seats(1))).await?;
    let (cookie, header) = (first.header("set-cookie").to_owned(), first.header("x-session").to_owned());
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let pair = cookie.split(';').next().unwrap_or_default().to_owned();
    assert_eq!(pair, format!("vg_session={header}"));
    for (name, value) in [("Cookie", pair.as_str()), ("X-Session", header.as_str())] {
        let again = server.send(server.request("GET", &path).header(name, value)).await?;
        assert_eq!(
            (again.header("set-cookie"), again.header("x-session")),
            ("", ""),
            "{name}: a known session is not issued again"
        );
    }
    // An invented session is replaced by a new one.
    let forged = server.send(server.request("GET", &path).header("X-Session", "made-up")).await?;
    assert!(!forged.header("x-session").is_empty() && forged.header("x-session") != header);
    Ok(())
}
