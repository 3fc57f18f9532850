//! The forms of the shop's pages without a browser: odd fields, and buttons pressed in a window that was left behind.

use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, header};
use serde_json::json;
use voelgoed_api_tests::server::{Server, WIDE};
use voelgoed_api_tests::tenant::Tenant;

/// Sends a form as a browser without scripts does, and goes nowhere from there.
async fn submit(server: &Server, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(u16, String, String)> {
    let client = reqwest::Client::builder().redirect(Policy::none()).build()?;
    sent(client.post(server.url(path)).form(fields)).await
}

/// Status, where it leads, and the page.
async fn sent(request: RequestBuilder) -> anyhow::Result<(u16, String, String)> {
    let answer = request.send().await?;
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

/// The value of the page's first hidden field of a name.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    let after = page.split_once(start.as_str()).map_or("", |(_, after)| after);
    after.split_once('"').map_or("", |(value, _)| value)
}

#[tokio::test]
async fn a_form_that_is_sent_twice_holds_the_last_places_once() -> anyhow::Result<()> {
    let server = Server::start(WIDE).await?;
    let tenant = Tenant::make(&server, "twice").await?;
    let path = format!("/events/{}", tenant.event);
    let availability = server.get(&format!("/api/v1/events/{}/availability", tenant.event), "").await?;
    let free =
        availability["areas"].as_array().into_iter().flatten().find(|area| area["area"] == json!(tenant.standing));
    let free = free.and_then(|area| area["free"].as_u64()).unwrap_or_default();
    // Others take all but four.
    let mut left = free;
    while left > 4 {
        let quantity = (left - 4).min(10);
        let items =
            json!({"items": [{"area": tenant.standing, "quantity": quantity, "ticket_type": tenant.ticket_type}]});
        server.post(&format!("/api/v1/events/{}/holds", tenant.event), "", &items).await?;
        left -= quantity;
    }
    let client = reqwest::Client::builder().redirect(Policy::none()).cookie_store(true).build()?;
    let page = client.get(server.url(&path)).send().await?.text().await?;
    let key = hidden(&page, "key");
    assert!(!key.is_empty(), "{page}");
    let standing = format!("qty:{}:{}", tenant.standing, tenant.ticket_type);
    let mut led_to = Vec::new();
    for _ in 0..2 {
        let form = [("key", key), (&*standing, "4")];
        let (status, to, page) = sent(client.post(server.url(&format!("{path}/holds"))).form(&form)).await?;
        assert_eq!(status, 303, "{page}");
        led_to.push(to.split('?').next().unwrap_or_default().to_owned());
    }
    assert!(led_to[0].starts_with("/holds/") && led_to[0] == led_to[1], "{led_to:?}");
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
