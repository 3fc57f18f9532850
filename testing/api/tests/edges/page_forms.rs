//! Submits the forms of the shop's pages without a browser: invalid fields, repeated forms, and buttons of an outdated window.

use serde_json::json;
use voelgoed_api_tests::server::start_server;
use voelgoed_api_tests::tenant::TestTenant;
use voelgoed_testkit::http_client::ApiClient;
use voelgoed_testkit::limits::UNLIMITED;
use voelgoed_testkit::server::TestServer;

/// Sends a form as a new browser without scripts does, and follows no redirect.
async fn submit(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(u16, String, String)> {
    submit_with(&ApiClient::with_cookies(&server.url())?, path, fields).await
}

/// Sends a form; returns status, redirect target, and the page.
async fn submit_with(client: &ApiClient, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(u16, String, String)> {
    let response = client.send(client.request("POST", path).form(fields)).await?;
    Ok((response.status, response.header("location").to_owned(), response.body))
}

#[tokio::test]
async fn invalid_field_of_the_event_page_is_explained_on_the_page() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "pages").await?;
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
    assert_eq!((answer.status, &answer.json()["field"]), (400, &json!("items[0].quantity")), "{}", answer.body);
    Ok(())
}

/// The value of the page's first hidden field of a name.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let start = format!("name=\"{name}\" value=\"");
    let after = page.split_once(start.as_str()).map_or("", |(_, after)| after);
    after.split_once('"').map_or("", |(value, _)| value)
}

#[tokio::test]
async fn form_sent_twice_holds_the_last_places_once() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "twice").await?;
    let path = format!("/events/{}", tenant.event);
    let availability = server.get(&format!("/api/v1/events/{}/availability", tenant.event), "").await?;
    let free =
        availability["areas"].as_array().into_iter().flatten().find(|area| area["area"] == json!(tenant.standing));
    let free = free.and_then(|area| area["free"].as_u64()).unwrap_or_default();
    // Other buyers hold all but four places.
    let mut left = free;
    while left > 4 {
        let quantity = (left - 4).min(10);
        let items =
            json!({"items": [{"area": tenant.standing, "quantity": quantity, "ticket_type": tenant.ticket_type}]});
        server.post(&format!("/api/v1/events/{}/holds", tenant.event), "", &items).await?;
        left -= quantity;
    }
    let client = ApiClient::with_cookies(&server.url())?;
    let page = client.text(&path).await?;
    let key = hidden(&page, "key");
    assert!(!key.is_empty(), "{page}");
    let standing = format!("qty:{}:{}", tenant.standing, tenant.ticket_type);
    let mut targets = Vec::new();
    for _ in 0..2 {
        let form = [("key", key), (&*standing, "4")];
        let (status, to, page) = submit_with(&client, &format!("{path}/holds"), &form).await?;
        assert_eq!(status, 303, "{page}");
        targets.push(to.split('?').next().unwrap_or_default().to_owned());
    }
    assert!(targets[0].starts_with("/holds/") && targets[0] == targets[1], "{targets:?}");
    Ok(())
}

#[tokio::test]
async fn control_character_in_a_name_keeps_the_other_fields_of_the_form() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "typed").await?;
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
async fn buttons_of_a_checkout_that_became_an_order_redirect_to_the_order() -> anyhow::Result<()> {
    let server = start_server(UNLIMITED).await?;
    let tenant = TestTenant::make(&server, "windows").await?;
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
