//! Checks each named limit at its edge and beyond it by one.

use reqwest::Body;
use serde_json::{Value, json};
use voelgoed_api_tests::EFFECT_TIMEOUT;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::until::until;

/// The body limit of these servers.
const BODY_BYTES_MAX: usize = 4_096;

/// A body with a content length, or in chunks of unknown number.
fn body(text: String, has_length: bool) -> Body {
    if has_length { text.into() } else { Body::wrap_stream(futures::stream::iter([Ok::<_, std::io::Error>(text)])) }
}

#[tokio::test]
async fn body_over_the_limit_by_one_byte_is_refused() -> anyhow::Result<()> {
    let server = start_server(&[UNLIMITED, &[("VOELGOED__LIMITS__BODY", "4096")]].concat()).await?;
    let tenant = TestTenant::make(&server, "body").await?;
    let sizes = [(BODY_BYTES_MAX, 201, ""), (BODY_BYTES_MAX + 1, 413, "too_large")];
    for ((size, status, code), with_length) in sizes.into_iter().flat_map(|size| [(size, true), (size, false)]) {
        let mut text = tenant.seats(1).to_string();
        text.push_str(&" ".repeat(size - text.len()));
        let body = body(text, with_length);
        let request = server.request("POST", &format!("/api/v1/events/{}/holds", tenant.event));
        let answer = server.send(request.header("Content-Type", "application/json").body(body)).await?;
        let found = (answer.status, answer.code());
        assert_eq!(found, (status, code.to_owned()), "{size}, with_length {with_length}: {}", answer.body);
        if status == 413 {
            assert_eq!(answer.json()["limit"], json!({"name": "largest_body", "most": BODY_BYTES_MAX}));
        }
    }
    Ok(())
}

#[tokio::test]
async fn seating_plan_has_its_own_body_limit() -> anyhow::Result<()> {
    let small: &[_] = &[("VOELGOED__LIMITS__BODY", "4096"), ("VOELGOED__LIMITS__LAYOUT", "16384")];
    let server = start_server(&[UNLIMITED, small].concat()).await?;
    let tenant = TestTenant::make(&server, "plan").await?;
    let plan = "area,row,seat,x,y,category\nFloor,A,1,0,0,all\n";
    for (size, status) in [(BODY_BYTES_MAX + 1, 201), (4 * BODY_BYTES_MAX, 201), (4 * BODY_BYTES_MAX + 1, 413)] {
        for with_length in [true, false] {
            let text = format!("{plan}{}", "\n".repeat(size - plan.len()));
            let body = body(text, with_length);
            let path = format!("/api/v1/layouts/import?format=csv&venue={}", tenant.venue);
            let request = server.request("POST", &path).bearer_auth(&tenant.key);
            let answer = server.send(request.header("Content-Type", "text/csv").body(body)).await?;
            assert_eq!(answer.status, status, "{size}, with_length {with_length}: {}", answer.body);
            if status == 413 {
                assert_eq!(answer.json()["limit"], json!({"name": "largest_layout", "most": 4 * BODY_BYTES_MAX}));
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn page_has_1_to_200_items() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "page").await?;
    for name in ["Second", "Third"] {
        server.post("/api/v1/venues", &tenant.key, &json!({"name": name})).await?;
    }
    for (limit, status) in [("0", 400), ("1", 200), ("200", 200), ("201", 400), ("-1", 400), ("x", 400)] {
        for path in ["/api/v1/venues", "/api/v1/audit", "/api/v1/orders", "/api/v1/ledger/entries", "/api/v1/events"] {
            let request = server.request("GET", &format!("{path}?limit={limit}")).bearer_auth(&tenant.key);
            let answer = server.send(request).await?;
            assert_eq!(answer.status, status, "{path} {limit}: {}", answer.body);
        }
    }
    // All pages together contain every item once and in order.
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let page = server.get(&format!("/api/v1/venues?limit=1{after}"), &tenant.key).await?;
        names.extend(page["items"].as_array().into_iter().flatten().map(|item| item["name"].clone()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["Hall", "Second", "Third"]);
    Ok(())
}

#[tokio::test]
async fn batch_has_at_most_100_scans() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "batch").await?;
    for (count, status) in [(0, 200), (1, 200), (100, 200), (101, 413)] {
        let scans: Vec<Value> = (0..count).map(|_| tenant.scan_of("NO CODE")).collect();
        let request = server.request("POST", "/api/v1/scans/batch").bearer_auth(&tenant.device_key);
        let answer = server.send(request.json(&json!({"scans": scans}))).await?;
        assert_eq!(answer.status, status, "{count}: {}", answer.body);
        match status {
            200 => assert_eq!(answer.json()["answers"].as_array().map(Vec::len), Some(count)),
            _ => assert_eq!(answer.json()["limit"], json!({"name": "scans_per_batch", "most": 100})),
        }
    }
    Ok(())
}

#[tokio::test]
async fn rate_limited_write_has_a_retry_time() -> anyhow::Result<()> {
    let few = [("VOELGOED__LIMITS__SESSION_BURST", "5"), ("VOELGOED__LIMITS__SESSION_PER", "10m")];
    let server = start_server(&few).await?;
    let tenant = TestTenant::make(&server, "often").await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let first = server.send(server.request("POST", &path).json(&tenant.seats(1))).await?;
    let session = first.header("x-session").to_owned();
    assert!(!session.is_empty(), "a session is set on first contact");
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer =
            server.send(server.request("POST", &path).header("X-Session", &session).json(&tenant.seats(1))).await?;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            let seconds: u64 = answer.header("retry-after").parse()?;
            assert!((1..=600).contains(&seconds), "{seconds}");
            assert_eq!(answer.json()["retry_after"], seconds);
        }
    }
    // The first write has created the session, and counts for it.
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 2, "{statuses:?}");
    // Reads and other sessions are not limited.
    let read = server.request("GET", &format!("/api/v1/events/{}", tenant.event)).header("X-Session", &session);
    assert_eq!(server.send(read).await?.status, 200);
    assert_eq!(server.send(server.request("POST", &path).json(&tenant.seats(1))).await?.status, 201);
    Ok(())
}

#[tokio::test]
async fn write_counts_for_its_address_before_its_session() -> anyhow::Result<()> {
    let few = [
        ("VOELGOED__LIMITS__ADDRESS_BURST", "8"),
        ("VOELGOED__LIMITS__ADDRESS_PER", "10m"),
        ("VOELGOED__LIMITS__SESSION_BURST", "3"),
        ("VOELGOED__LIMITS__SESSION_PER", "10m"),
    ];
    let server = start_server(&few).await?;
    // Two holds and an order: three writes of the address, each of a new session.
    let tenant = TestTenant::make(&server, "order").await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let known = server.send(server.request("GET", &format!("/api/v1/events/{}", tenant.event))).await?;
    let session = known.header("x-session").to_owned();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let request = server.request("POST", &path).header("X-Session", &session).json(&tenant.seats(1));
        statuses.push(server.send(request).await?.status);
    }
    // Refusals of the session have counted for the address too, so another session is refused.
    let stranger = server.send(server.request("POST", &path).json(&tenant.seats(1))).await?.status;
    statuses.push(stranger);
    assert_eq!(statuses, [201, 201, 201, 429, 429, 429], "{statuses:?}");
    Ok(())
}

#[tokio::test]
async fn holds_are_limited_by_address_across_sessions() -> anyhow::Result<()> {
    let few = [("VOELGOED__LIMITS__HOLD_BURST", "5"), ("VOELGOED__LIMITS__HOLD_PER", "10m")];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    // Making the tenant took the address's first two holds.
    let tenant = TestTenant::make(&server, "holds").await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    for (nth, status) in [(3, 201), (4, 201), (5, 201), (6, 429), (7, 429)] {
        let answer = server.send(server.request("POST", &path).json(&tenant.seats(1))).await?;
        assert_eq!(answer.status, status, "hold {nth}: {}", answer.body);
        if status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            assert_eq!(answer.json()["limit"], json!({"name": "holds_per_address", "most": 5}));
            assert!(!answer.header("retry-after").is_empty());
        }
    }
    // An order is not a hold, so it is accepted.
    assert!(tenant.order(&server, &tenant.hold).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn held_places_are_limited_by_address_across_sessions_and_pages() -> anyhow::Result<()> {
    let few = [
        ("VOELGOED__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "6"),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_SHARE_MAX", "0.0"),
    ];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let tenant = TestTenant::make(&server, "hoard").await?;
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let mut held = Vec::new();
    for (from, quantity, status) in [
        ("203.0.113.1", 4, 201),
        ("203.0.113.1", 3, 409),
        ("203.0.113.1", 2, 201),
        ("203.0.113.1", 1, 409),
        ("2001:db8::1", 4, 201),
        ("2001:db8::ffff:1", 3, 409),
        ("203.0.113.2", 4, 201),
    ] {
        let items = json!([{"area": tenant.standing, "quantity": quantity, "ticket_type": tenant.ticket_type}]);
        let request = server.request("POST", &path).header("X-Forwarded-For", from).json(&json!({"items": items}));
        let answer = server.send(request).await?;
        assert_eq!(answer.status, status, "{quantity} from {from}: {}", answer.body);
        if status == 409 {
            assert_eq!(answer.code(), "limit_reached");
            assert_eq!(answer.json()["limit"], json!({"name": "places_per_address_max", "most": 6}));
        } else {
            held.push(answer.json());
        }
    }
    let form = format!("/events/{}/holds", tenant.event);
    let fields = [(format!("qty:{}:{}", tenant.standing, tenant.ticket_type), "3")];
    let page = async |from: &str| -> anyhow::Result<u16> {
        let request = server.request("POST", &form).header("X-Forwarded-For", from).form(&fields);
        Ok(server.send(request).await?.status)
    };
    assert_eq!(page("203.0.113.1").await?, 409);
    // Released places can be held again.
    let (id, token) = (held[0]["id"].as_str().unwrap_or_default(), held[0]["token"].as_str().unwrap_or_default());
    let release = server.request("DELETE", &format!("/api/v1/holds/{id}")).header("X-Token", token);
    assert_eq!(server.send(release).await?.status, 204);
    assert_ne!(page("203.0.113.1").await?, 409);
    let metrics = server.send(server.internal_request("GET", "/metrics")).await?;
    assert!(
        metrics
            .body
            .lines()
            .any(|line| line.starts_with("voelgoed_places_per_address_refused_total{") && line.ends_with(" 4")),
        "four refusals are counted"
    );
    Ok(())
}

#[tokio::test]
async fn unpaid_places_are_limited_by_address() -> anyhow::Result<()> {
    let few = [
        ("VOELGOED__SERVER__TRUSTED_PROXIES", "127.0.0.1"),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_MAX", "6"),
        ("VOELGOED__LIMITS__PLACES_PER_ADDRESS_SHARE_MAX", "0.0"),
    ];
    let server = start_server(&[UNLIMITED, &few].concat()).await?;
    let tenant = TestTenant::make(&server, "unpaid").await?;
    let price = json!({"event": tenant.event, "name": "Full", "price": {"amount": 100, "currency": "EUR"}});
    let priced = server.post("/api/v1/ticket-types", &tenant.key, &price).await?["id"].clone();
    let mut orders = Vec::new();
    for (number, (from, method, quantity, status)) in [
        ("203.0.113.1", "slow", 4, 201),
        ("203.0.113.1", "slow", 3, 409),
        ("203.0.113.1", "slow", 2, 201),
        ("203.0.113.1", "declined", 1, 409),
        // A free order is paid at once.
        ("203.0.113.1", "free", 3, 201),
        ("203.0.113.2", "slow", 6, 201),
    ]
    .into_iter()
    .enumerate()
    {
        let ticket_type = if method == "free" { json!(tenant.ticket_type) } else { priced.clone() };
        let items = json!([{"area": tenant.standing, "quantity": quantity, "ticket_type": ticket_type}]);
        let path = format!("/api/v1/events/{}/holds", tenant.event);
        // The places of an order stop counting as held a moment after its response.
        let hold = until("the address has room", EFFECT_TIMEOUT, || async {
            let request = server.request("POST", &path).header("X-Forwarded-For", from);
            let hold = server.send(request.json(&json!({"items": items}))).await?;
            Ok((hold.status == 201).then(|| hold.json()))
        })
        .await?;
        let mut body = json!({"hold": hold["id"], "hold_token": hold["token"],
            "buyer": {"name": "Ann", "email": format!("ann{number}@example.org")}});
        if method != "free" {
            body["payment"] = json!({"provider": "sandbox", "method": method});
        }
        let request = server.request("POST", "/api/v1/orders").header("X-Forwarded-For", from);
        let order = server.send(request.header("Idempotency-Key", "one").json(&body)).await?;
        assert_eq!(order.status, status, "{quantity} from {from}: {} {hold}", order.body);
        if status == 409 {
            assert_eq!(order.json()["limit"], json!({"name": "places_per_address_max", "most": 6}));
        } else {
            orders.push(order.json()["id"].as_str().unwrap_or_default().to_owned());
        }
        let release = format!("/api/v1/holds/{}", hold["id"].as_str().unwrap_or_default());
        let token = hold["token"].as_str().unwrap_or_default();
        server.send(server.request("DELETE", &release).header("X-Token", token)).await?;
    }
    Ok(())
}
