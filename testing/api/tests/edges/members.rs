//! Checks members: disabling, passwords, logins, the last administrator, and one email address in several organizations (H8, H11).

use serde_json::{Value, json};
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::{PASSWORD, SCOPES, TestTenant};
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

const OTHER: &str = "another horse battery";

/// A cookie and its CSRF token.
struct Login {
    cookie: String,
    csrf: String,
}

impl Login {
    async fn new(server: &TestServer, email: &str, password: &str) -> anyhow::Result<Self> {
        let answer = log_in(server, json!({"email": email, "password": password})).await?;
        anyhow::ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        Ok(Self::of(&answer))
    }

    fn of(answer: &ApiResponse) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        Self { cookie, csrf: answer.json()["csrf"].as_str().unwrap_or_default().to_owned() }
    }

    async fn send(&self, server: &TestServer, method: &str, path: &str, body: &Value) -> anyhow::Result<ApiResponse> {
        let request = server.request(method, path).header("Cookie", &self.cookie).header("X-CSRF-Token", &self.csrf);
        server.send(if body.is_null() { request } else { request.json(body) }).await
    }
}

async fn log_in(server: &TestServer, body: Value) -> anyhow::Result<ApiResponse> {
    server.send(server.request("POST", "/api/v1/login").json(&body)).await
}

async fn patch(server: &TestServer, key: &str, member: &str, body: Value) -> anyhow::Result<ApiResponse> {
    server.send(server.request("PATCH", &format!("/api/v1/members/{member}")).bearer_auth(key).json(&body)).await
}

#[tokio::test]
async fn disabled_member_cannot_log_in_until_enabled() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "disabled").await?;
    let login = Login::new(&server, &tenant.member, PASSWORD).await?;
    assert_eq!(login.send(&server, "GET", "/api/v1/venues", &Value::Null).await?.status, 200);
    let disabled = patch(&server, &tenant.key, &tenant.member_id, json!({"disabled": true})).await?;
    assert_eq!(disabled.status, 200, "{}", disabled.body);
    assert!(disabled.json()["disabled_at"].is_string(), "{}", disabled.body);
    assert_eq!(login.send(&server, "GET", "/api/v1/venues", &Value::Null).await?.status, 401, "its login ended");
    let refused = log_in(&server, json!({"email": tenant.member, "password": PASSWORD})).await?;
    assert_eq!((refused.status, refused.code().as_str()), (401, "unauthenticated"));
    patch(&server, &tenant.key, &tenant.member_id, json!({"disabled": false})).await?;
    Login::new(&server, &tenant.member, PASSWORD).await?;
    assert_eq!(
        login.send(&server, "GET", "/api/v1/venues", &Value::Null).await?.status,
        401,
        "an ended login stays so"
    );
    Ok(())
}

#[tokio::test]
async fn changed_password_ends_all_logins() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "passwords").await?;
    let [one, two] =
        [Login::new(&server, &tenant.member, PASSWORD).await?, Login::new(&server, &tenant.member, PASSWORD).await?];
    let own = |old: &str, new: &str| json!({"old_password": old, "new_password": new});
    let change =
        async |login: &Login, body: Value| login.send(&server, "POST", "/api/v1/members/me/password", &body).await;
    let wrong = change(&one, own("not the old one", OTHER)).await?;
    assert_eq!((wrong.status, wrong.code().as_str()), (409, "wrong_password"), "{}", wrong.body);
    for easy in ["password1234", "passwords passwords", &tenant.member, "short"] {
        let refused = change(&one, own(PASSWORD, easy)).await?;
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{easy}: {}", refused.body);
    }
    assert_eq!(two.send(&server, "GET", "/api/v1/venues", &Value::Null).await?.status, 200, "refusals end nothing");
    let changed = change(&one, own(PASSWORD, OTHER)).await?;
    assert_eq!(changed.status, 204, "{}", changed.body);
    for login in [&one, &two] {
        assert_eq!(login.send(&server, "GET", "/api/v1/venues", &Value::Null).await?.status, 401);
    }
    assert_eq!(log_in(&server, json!({"email": tenant.member, "password": PASSWORD})).await?.status, 401);
    let again = Login::new(&server, &tenant.member, OTHER).await?;
    // An administrator needs no old password.
    let path = format!("/api/v1/members/{}/password", tenant.member_id);
    let reset = server.request("POST", &path).bearer_auth(&tenant.key).json(&json!({"password": PASSWORD}));
    assert_eq!(server.send(reset).await?.status, 204);
    assert_eq!(again.send(&server, "GET", "/api/v1/venues", &Value::Null).await?.status, 401);
    Login::new(&server, &tenant.member, PASSWORD).await?;
    let key =
        server.request("POST", "/api/v1/members/me/password").bearer_auth(&tenant.key).json(&own(PASSWORD, OTHER));
    assert_eq!(server.send(key).await?.status, 400, "a key has no password");
    Ok(())
}

#[tokio::test]
async fn logins_are_listed_and_ended_one_by_one() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "logins").await?;
    let body = json!({"name": "Door", "email": "door@example.org", "password": PASSWORD, "scopes": ["scanning"]});
    let door = server.post("/api/v1/members", &tenant.key, &body).await?["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("/api/v1/members/{door}/logins");
    let [one, two] = [
        Login::new(&server, "door@example.org", PASSWORD).await?,
        Login::new(&server, "door@example.org", PASSWORD).await?,
    ];
    let listed = one.send(&server, "GET", &path, &Value::Null).await?;
    let items = listed.json()["items"].as_array().cloned().unwrap_or_default();
    assert_eq!((listed.status, items.len()), (200, 2), "one's own, without admin: {}", listed.body);
    let first = items[0]["id"].as_str().unwrap_or_default();
    let others = format!("/api/v1/members/{}/logins", tenant.member_id);
    assert_eq!(two.send(&server, "GET", &others, &Value::Null).await?.status, 403, "another's needs admin");
    for status in [204, 404] {
        assert_eq!(two.send(&server, "DELETE", &format!("{path}/{first}"), &Value::Null).await?.status, status);
    }
    assert_eq!(one.send(&server, "GET", &path, &Value::Null).await?.status, 401);
    let end = server.request("DELETE", &path).bearer_auth(&tenant.key);
    assert_eq!(server.send(end).await?.status, 204, "an administrator ends all");
    assert_eq!(two.send(&server, "GET", &path, &Value::Null).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn last_administrator_cannot_be_removed() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "last").await?;
    let keys = server.get("/api/v1/api-keys", &tenant.key).await?["items"].as_array().cloned().unwrap_or_default();
    let id = |name: &str| {
        let found = keys.iter().find(|key| key["name"] == name).and_then(|key| key["id"].as_str());
        found.unwrap_or_default().to_owned()
    };
    let revoke = async |by: &str, key: &str| {
        server.send(server.request("DELETE", &format!("/api/v1/api-keys/{key}")).bearer_auth(by)).await
    };
    // First the key with every scope revokes the key with `admin` alone.
    assert_eq!(revoke(&tenant.key, &id("admin")).await?.status, 204);
    let own = revoke(&tenant.key, &id("first key")).await?;
    assert_eq!((own.status, own.code().as_str()), (409, "last_administrator"), "{}", own.body);
    let owner = Login::new(&server, &tenant.member, PASSWORD).await?;
    let path = format!("/api/v1/members/{}", tenant.member_id);
    for body in [json!({"disabled": true}), json!({"scopes": ["sales"]}), json!({"scopes": []})] {
        let refused = owner.send(&server, "PATCH", &path, &body).await?;
        assert_eq!((refused.status, refused.code().as_str()), (409, "last_administrator"), "{body}: {}", refused.body);
    }
    // Another administrator may revoke the key; then the member is the last administrator.
    assert_eq!(
        owner.send(&server, "DELETE", &format!("/api/v1/api-keys/{}", id("first key")), &Value::Null).await?.status,
        204
    );
    let body = json!({"name": "Second", "email": "second@example.org", "password": PASSWORD, "scopes": SCOPES});
    assert_eq!(owner.send(&server, "POST", "/api/v1/members", &body).await?.status, 201);
    assert_eq!(owner.send(&server, "PATCH", &path, &json!({"scopes": ["sales"]})).await?.status, 200, "one is left");
    Ok(())
}

#[tokio::test]
async fn email_address_can_be_a_member_of_several_organizations() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let [a, b] = [TestTenant::make(&server, "one").await?, TestTenant::make(&server, "two").await?];
    let member =
        |password: &str| json!({"name": "Ann", "email": "ann@example.org", "password": password, "scopes": ["sales"]});
    server.post("/api/v1/members", &a.key, &member(PASSWORD)).await?;
    server.post("/api/v1/members", &b.key, &member(OTHER)).await?;
    let again = server.send(server.request("POST", "/api/v1/members").bearer_auth(&a.key).json(&member(OTHER))).await?;
    assert_eq!((again.status, again.code().as_str()), (409, "already_exists"), "its own are known");
    for (password, tenant) in [(PASSWORD, &a), (OTHER, &b)] {
        let answer = log_in(&server, json!({"email": "Ann@Example.org ", "password": password})).await?;
        assert_eq!(
            (answer.status, &answer.json()["organization"]),
            (200, &json!(tenant.organization)),
            "{}",
            answer.body
        );
    }
    for (organization, password, status) in [
        ("one", PASSWORD, 200),
        (b.organization.as_str(), OTHER, 200),
        ("two", PASSWORD, 401),
        ("three", PASSWORD, 401),
    ] {
        let body = json!({"email": "ann@example.org", "password": password, "organization": organization});
        assert_eq!(log_in(&server, body).await?.status, status, "{organization}");
    }
    // The same password in both organizations: the response asks for the organization.
    let body = json!({"name": "Bob", "email": "bob@example.org", "password": PASSWORD, "scopes": ["sales"]});
    for tenant in [&a, &b] {
        server.post("/api/v1/members", &tenant.key, &body).await?;
    }
    let asked = log_in(&server, json!({"email": "bob@example.org", "password": PASSWORD})).await?;
    assert_eq!((asked.status, asked.code().as_str()), (409, "organization_required"), "{}", asked.body);
    assert!(asked.body.contains("one") && asked.body.contains("two"), "{}", asked.body);
    let named =
        log_in(&server, json!({"email": "bob@example.org", "password": PASSWORD, "organization": "two"})).await?;
    assert_eq!((named.status, &named.json()["organization"]), (200, &json!(b.organization)));
    assert_eq!(log_in(&server, json!({"email": "bob@example.org", "password": OTHER})).await?.status, 401);
    Ok(())
}

#[tokio::test]
async fn disabled_memberships_do_not_prevent_a_login_to_an_enabled_one() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let mut last = String::new();
    for number in 0..7 {
        let tenant = TestTenant::make(&server, &format!("hall-{number}")).await?;
        let body = json!({"name": "Eve", "email": "eve@example.org", "password": PASSWORD, "scopes": ["sales"]});
        let member = server.post("/api/v1/members", &tenant.key, &body).await?;
        if number < 6 {
            let id = member["id"].as_str().unwrap_or_default();
            assert_eq!(patch(&server, &tenant.key, id, json!({"disabled": true})).await?.status, 200);
        }
        last = tenant.organization;
    }
    let answer = log_in(&server, json!({"email": "eve@example.org", "password": PASSWORD})).await?;
    assert_eq!((answer.status, &answer.json()["organization"]), (200, &json!(last)), "{}", answer.body);
    let wrong = log_in(&server, json!({"email": "nobody@example.org", "password": PASSWORD})).await?;
    assert!(wrong.status == 401 && wrong.json()["detail"].as_str().is_some_and(|said| said.contains("more than 5")));
    Ok(())
}
