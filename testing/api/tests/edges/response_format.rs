//! Checks what all responses have in common: the format of errors, the security headers, and the content coding.

use serde_json::json;
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiResponse;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::until::until;

fn is_problem(answer: &ApiResponse, status: u16, code: &str) {
    let body = answer.json();
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], format!("/docs/errors#{code}"));
    for field in ["title", "detail"] {
        assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {body}");
    }
}

#[tokio::test]
async fn errors_are_problems_and_every_response_has_its_security_headers() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "shape").await?;
    let holds = format!("/api/v1/events/{}/holds", tenant.event);
    let json = "application/json";
    let hold =
        |kind: &str, body: &str| server.request("POST", &holds).header("Content-Type", kind).body(body.to_owned());
    for (request, status, code) in [
        (server.request("GET", "/api/v1/nothing/here"), 404, "not_found"),
        (server.request("GET", "/api/v1/events/evt_nonsense"), 404, "not_found"),
        (server.request("GET", "/api/v1/events/evt_01a204d3c872738bb7243b8a68c14d25"), 404, "not_found"),
        (server.request("GET", "/api/v1/events?organization=nonsense"), 400, "invalid_request"),
        (server.request("DELETE", "/api/v1/venues"), 405, "method_not_allowed"),
        (server.request("GET", "/api/v1/venues"), 401, "unauthenticated"),
        (server.request("PUT", "/api/v1/events"), 405, "method_not_allowed"),
        (server.request("DELETE", "/api/v1/orders"), 405, "method_not_allowed"),
        (hold("text/plain", "{}"), 400, "invalid_request"),
        (hold(json, ""), 400, "invalid_request"),
        (hold(json, "{"), 400, "invalid_request"),
        (hold(json, "{\"items\": [], \"unknown\": 1}"), 400, "invalid_request"),
        (hold(json, "{\"items\": []}"), 400, "invalid_request"),
        (hold(json, &tenant.seats(0).to_string()), 400, "invalid_request"),
        (hold(json, &tenant.seats(51).to_string()), 409, "limit_reached"),
    ] {
        is_problem(&server.send(request).await?, status, code);
    }
    // Two buyers want one place.
    let one = json!({"items": [{"place": 79, "ticket_type": tenant.ticket_type}]});
    let held = server.send(server.request("POST", &holds).json(&one)).await?;
    assert_eq!((held.status, held.header("cache-control")), (201, "no-store"), "it has a token in it");
    let taken = server.send(server.request("POST", &holds).json(&one)).await?;
    is_problem(&taken, 409, "place_taken");
    assert_eq!(taken.json()["places"], json!([79]));

    for path in ["/", "/livez", "/api/v1/nothing", "/api/v1/events", "/api/v1/openapi.json", "/docs/errors"] {
        let answer = server.send(server.request("GET", path)).await?;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    let [whole, head] = ["GET", "HEAD"].map(|method| server.send(server.request(method, "/livez")));
    let (whole, head) = (whole.await?, head.await?);
    assert_eq!((head.status, head.body.as_str()), (whole.status, ""));
    for header in ["content-length", "content-type", "x-content-type-options"] {
        assert_eq!(head.header(header), whole.header(header), "{header}");
    }
    let unauthenticated = server.send(server.request("GET", "/api/v1/venues")).await?;
    assert_eq!(unauthenticated.header("www-authenticate"), "Bearer");
    let wrong_method = server.send(server.request("DELETE", "/api/v1/venues")).await?;
    let allowed: std::collections::BTreeSet<_> = wrong_method.header("allow").split(',').collect();
    assert_eq!(allowed, ["GET", "HEAD", "POST"].into());
    Ok(())
}

#[tokio::test]
async fn unchanged_resource_is_answered_with_304() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "etag").await?;
    for part in ["map", "availability"] {
        let path = format!("/api/v1/events/{}/{part}", tenant.event);
        // The map may not show the tenant's sale yet.
        let (first, again) = until("nothing changes any more", EFFECT_TIMEOUT, || async {
            let first = server.send(server.request("GET", &path)).await?;
            let again = server.send(server.request("GET", &path).header("If-None-Match", first.header("etag"))).await?;
            Ok((first.header("etag") == again.header("etag")).then_some((first, again)))
        })
        .await?;
        let etag = first.header("etag");
        assert!(etag.trim_start_matches("W/").starts_with('"') && etag.ends_with('"'), "{part}: {etag}");
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{part}");
        let session = (first.header("set-cookie"), first.header("x-session"));
        assert_eq!(session, ("", ""), "{part}: a cacheable response carries no session");
    }
    let path = format!("/api/v1/events/{}/availability", tenant.event);
    let before = server.send(server.request("GET", &path)).await?.header("etag").to_owned();
    tenant.hold_seats(&server, 1).await?;
    until("a hold shows", EFFECT_TIMEOUT, || async {
        let now = server.send(server.request("GET", &path).header("If-None-Match", &before)).await?;
        Ok((now.status == 200).then_some(()))
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn times_must_be_rfc_3339_and_entry_rules_known() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "moments").await?;
    let sale = json!({"opens_at": "2026-01-01T00:00:00Z", "closes_at": "2026-01-02T00:00:00+02:00"});
    let event = |changed: serde_json::Value| {
        let mut body = json!({"name": "X", "layout": tenant.layout, "starts_at": "2026-01-03T00:00:00Z",
            "timezone": "UTC", "sale": sale, "currency": "EUR"});
        body.as_object_mut().into_iter().for_each(|body| body.extend(changed.as_object().cloned().unwrap_or_default()));
        server.request("POST", "/api/v1/events").bearer_auth(&tenant.key).json(&body)
    };
    for (changed, status) in [
        (json!({}), 201),
        (json!({"entry_rule": "reentry"}), 201),
        (json!({"entry_rule": "unlimited"}), 400),
        (json!({"starts_at": "-000001-01-01T00:00:00Z"}), 400),
        (json!({"starts_at": "+012026-01-01T00:00:00Z"}), 400),
        (json!({"starts_at": "2026-01-01"}), 400),
        (json!({"starts_at": 1}), 400),
    ] {
        let answer = server.send(event(changed.clone())).await?;
        assert_eq!(answer.status, status, "{changed}: {}", answer.body);
        if status == 201 {
            let rule = changed["entry_rule"].as_str().unwrap_or("single");
            assert_eq!(answer.json()["entry_rule"], rule, "{}", answer.body);
        }
    }
    Ok(())
}

#[tokio::test]
async fn request_that_excludes_a_plain_body_gets_gzip_or_406_before_anything_is_changed() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "coding").await?;
    for path in ["/", "/api/v1/events", "/livez"] {
        let request = server.request("GET", path).header("Accept-Encoding", "gzip;q=0.1, identity;q=0");
        let answer = server.send(request).await?;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, "gzip"), "{path}");
    }
    let hold = |coding: &str| {
        let path = format!("/api/v1/events/{}/holds", tenant.event);
        server.request("POST", &path).header("Accept-Encoding", coding).json(&tenant.seats(1))
    };
    for excluded in ["identity;q=0", "*;q=0", "br, *;q=0", "gzip;q=0, identity;q=0"] {
        let answer = server.send(hold(excluded)).await?;
        assert_eq!((answer.status, answer.body.as_str()), (406, ""), "{excluded}");
        assert_eq!(answer.header("vary"), "accept-encoding", "{excluded}");
    }
    assert_eq!(server.send(hold("br")).await?.status, 201, "no refused request has held the place");
    Ok(())
}
