//! The forms of the shop's pages without a browser: odd fields, and buttons pressed in a window that was left behind.

use reqwest::redirect::Policy;
use reqwest::{Url, header};
use serde_json::json;
use voelgoed_api_tests::server::{Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;

/// Sends a form as a browser without scripts does, and goes nowhere from there.
async fn submit(server: &Server, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(u16, String, String)> {
    let mut form = Url::parse("http://form.example/")?;
    form.query_pairs_mut().extend_pairs(fields);
    let client = reqwest::Client::builder().redirect(Policy::none()).build()?;
    let request = client.post(server.url(path)).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = request.body(form.query().unwrap_or_default().to_owned()).send().await?;
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    Ok((answer.status().as_u16(), location.unwrap_or_default().to_owned(), answer.text().await?))
}

#[tokio::test]
async fn odd_fields_of_the_event_page_are_named_in_words() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "pages").await?;
    let path = format!("/events/{}/holds", tenant.event);
    let standing = format!("qty:{}:{}", tenant.standing, tenant.ticket_type);
    let best = |quantity: &'static str| {
        vec![("area", &*tenant.seated), ("quantity", quantity), ("ticket_type", &*tenant.ticket_type)]
    };
    for (fields, words) in [
        (vec![(&*standing, "many")], "Write how many you want"),
        (vec![(&*standing, "-1")], "Write how many you want"),
        (vec![(&*standing, "1.5")], "Write how many you want"),
        (vec![(&*standing, "2\0")], "Write how many you want"),
        (vec![("qty:nonsense:nonsense", "1")], "Choose one of the areas"),
        (vec![(&*standing, "0")], "Choose at least one place"),
        (best("0"), "Write how many you want"),
        (best("two"), "Write how many you want"),
        (vec![("place", "1\0")], "This place is not for sale"),
        (vec![("place", "4294967296")], "This place is not for sale"),
        (vec![(&*standing, "1"), ("code", "A\0B")], "code"),
    ] {
        let (status, _, page) = submit(&server, &path, &fields).await?;
        assert!(status == 400 && page.contains(words), "{fields:?}: {status} {page}");
    }
    let items = json!([{"area": tenant.seated, "quantity": 0, "ticket_type": tenant.ticket_type}]);
    let path = format!("/api/v1/events/{}/holds", tenant.event);
    let request = server.request("POST", &path).json(&json!({"items": items, "best_available": true}));
    let answer = server.send(request).await?;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["field"]),
        (400, &json!("items[0].quantity")),
        "{}",
        answer.body
    );
    Ok(())
}

#[tokio::test]
async fn a_control_character_in_a_name_loses_nothing_that_was_typed() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "typed").await?;
    let (hold, token) = tenant.hold_seats(&server, 1).await?;
    for (name, email, kept) in [
        ("Ann\0", "ann@example.org", "ann@example.org"),
        ("Ann\u{7}", "ann@example.org", "ann@example.org"),
        ("Ann Lee", "ann\0@example.org", "Ann Lee"),
    ] {
        let fields = [("token", &*token), ("key", "one"), ("name", name), ("email", email)];
        let (status, _, page) = submit(&server, &format!("/holds/{hold}/order"), &fields).await?;
        assert!(status == 400 && page.contains(kept) && page.contains("Write "), "{name:?}: {status} {page}");
    }
    Ok(())
}

#[tokio::test]
async fn buttons_of_a_checkout_that_became_an_order_lead_to_the_order() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "windows").await?;
    let price = json!({"event": tenant.event, "name": "Full", "price": {"amount": 100, "currency": "EUR"}});
    let full = server.post("/api/v1/ticket-types", &tenant.key, &price).await?["id"].clone();
    let items = json!({"items": [{"area": tenant.standing, "quantity": 2, "ticket_type": full}]});
    let held = server.post(&format!("/api/v1/events/{}/holds", tenant.event), "", &items).await?;
    let (hold, token) = (held["id"].as_str().unwrap_or_default(), held["token"].as_str().unwrap_or_default());
    let buyer =
        [("token", token), ("key", "one"), ("name", "Ann"), ("email", "ann@example.org"), ("method", "sandbox:slow")];
    let (status, order, page) = submit(&server, &format!("/holds/{hold}/order"), &buyer).await?;
    let order = order.split('?').next().unwrap_or_default();
    assert!(status == 303 && order.starts_with("/orders/"), "{status} {page}");
    for (button, field) in [
        ("remove", ("place", "1")),
        ("code", ("code", "EARLY")),
        ("release", ("typed", "")),
        ("order", ("name", "Bob")),
    ] {
        let fields = [("token", token), ("key", "two"), ("email", "ann@example.org"), field];
        let (status, to, page) = submit(&server, &format!("/holds/{hold}/{button}"), &fields).await?;
        assert!(status == 303 && to.starts_with(order), "{button}: {status} {to} {page}");
    }
    Ok(())
}
