//! Buys with links and forms only, without scripts, and checks the pages of refusals.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use voelgoed_browser::demo_shop::DemoShop;
use voelgoed_browser::visitor::{HtmlPage, Visitor};

async fn seats_of_first_area(shop: &DemoShop, visitor: &Visitor) -> anyhow::Result<(String, Vec<String>, String)> {
    let event = shop.get(&format!("/api/v1/events/{}", shop.event(0))).await?;
    let area = event["areas"][0]["id"].as_str().context("an area")?.to_owned();
    let page = visitor.open(&format!("/events/{}?area={area}", shop.event(0))).await?;
    ensure!(page.status == 200, "{}", page.status);
    let places = page.free_places().into_iter().map(str::to_owned).collect();
    let kind = event["ticket_types"][0]["id"].as_str().context("a ticket type")?.to_owned();
    Ok((area, places, kind))
}

async fn pay(visitor: &Visitor, address: &str, hold: &HtmlPage) -> anyhow::Result<String> {
    let (token, key) = (hold.hidden("token")?, hold.hidden("key")?);
    let path = address.split('?').next().unwrap_or_default();
    let fields = [
        ("token", token),
        ("key", key),
        ("name", "Pieter <b>"),
        ("email", "pieter@example.org"),
        ("method", "sandbox:ok"),
    ];
    let (order, _) = visitor.send_and_follow(&format!("{path}/order"), &fields).await?;
    // A second click sends the same form again: the same order answers.
    let (again, _) = visitor.send_and_follow(&format!("{path}/order"), &fields).await?;
    ensure!(order == again, "{order} {again}");
    Ok(order)
}

#[tokio::test]
async fn seats_are_bought_with_forms_alone() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let list = visitor.open("/").await?;
    ensure!(list.html.contains(&format!("/events/{}", shop.event(0))), "the list leads to the hall");
    let (_, places, kind) = seats_of_first_area(&shop, &visitor).await?;
    let [.., one, two, three] = &places[..] else { anyhow::bail!("three seats are free: {places:?}") };
    let holds = format!("/events/{}/holds", shop.event(0));
    let fields = [("place", one.as_str()), ("place", two), ("place", three), ("ticket_type", &kind)];
    let (address, hold) = visitor.send_and_follow(&holds, &fields).await?;
    ensure!(hold.html.matches("Remove ").count() == 3, "{}", hold.text());
    let path = address.split('?').next().unwrap_or_default().to_owned();
    let (address, hold) = visitor
        .send_and_follow(&format!("{path}/remove"), &[("token", hold.hidden("token")?), ("place", three)])
        .await?;
    ensure!(hold.html.matches("Remove ").count() == 2, "{}", hold.text());
    let order = pay(&visitor, &address, &hold).await?;
    let mut page = visitor.open(&order).await?;
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(100));
    for _ in 0..100 {
        if page.html.contains("class=\"ticket\"") {
            break;
        }
        ensure!(page.html.contains("http-equiv=\"refresh\""), "a page without scripts looks again by itself");
        looks.tick().await;
        page = visitor.open(&order).await?;
    }
    ensure!(page.html.matches("class=\"ticket\"").count() == 2, "{}", page.text());
    ensure!(page.html.contains("Pieter &#60;b&#62;") && !page.html.contains("Pieter <b>"), "a name is shown, not run");
    // The hold has become the order: its page leads there.
    let over = visitor.open(&address).await?;
    ensure!(over.status == 303 && over.location.as_deref() == Some(order.as_str()), "{over:?}");
    Ok(())
}

#[tokio::test]
async fn refused_hold_keeps_the_other_chosen_seats() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let (fast, slow) = (Visitor::enter(&shop)?, Visitor::enter(&shop)?);
    let (area, places, kind) = seats_of_first_area(&shop, &fast).await?;
    let [one, two, ..] = &places[..] else { anyhow::bail!("two seats are free") };
    let holds = format!("/events/{}/holds", shop.event(0));
    let (address, hold) = fast.send_and_follow(&holds, &[("place", one), ("ticket_type", &kind)]).await?;
    let both = [("place", one.as_str()), ("place", two), ("ticket_type", &kind), ("shown_area", &area)];
    let refused = slow.send(&holds, &both, "same-origin").await?;
    ensure!(
        refused.status == 409 && refused.text().contains("Somebody was faster"),
        "{} {}",
        refused.status,
        refused.text()
    );
    ensure!(refused.html.contains(&format!("value=\"{two}\" checked")), "the other seat stays chosen");
    ensure!(!refused.html.contains(&format!("value=\"{one}\" checked")), "the lost one does not");
    let path = address.split('?').next().unwrap_or_default();
    let back = fast.send(&format!("{path}/release"), &[("token", hold.hidden("token")?)], "same-origin").await?;
    ensure!(back.status == 303, "{}", back.status);
    let over = fast.open(&address).await?;
    ensure!(over.status == 410 && over.text().contains("Choose places again"), "{} {}", over.status, over.text());
    Ok(())
}

#[tokio::test]
async fn best_seats_and_standing_places_are_held_with_forms() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let hall = shop.get(&format!("/api/v1/events/{}", shop.event(0))).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (area, kind) = (text(&hall["areas"][3]["id"]), text(&hall["ticket_types"][0]["id"]));
    let fields = [("area", area.as_str()), ("quantity", "3"), ("ticket_type", &kind)];
    let (_, hold) = visitor.send_and_follow(&format!("/events/{}/holds", shop.event(0)), &fields).await?;
    ensure!(hold.text().contains("3 places"), "{}", hold.text());
    let festival = shop.get(&format!("/api/v1/events/{}", shop.event(1))).await?;
    let page = visitor.open(&format!("/events/{}", shop.event(1))).await?;
    let field =
        page.html.split("name=\"").find_map(|rest| rest.starts_with("qty:").then(|| rest.split('"').next())).flatten();
    let field = field.with_context(|| format!("a standing area of {} can be had", festival["name"]))?.to_owned();
    let (_, hold) = visitor
        .send_and_follow(&format!("/events/{}/holds", shop.event(1)), &[(field.as_str(), "2"), ("code", "")])
        .await?;
    ensure!(hold.text().contains("2 places"), "{}", hold.text());
    Ok(())
}

#[tokio::test]
async fn refusals_are_explained_on_a_page() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let holds = format!("/events/{}/holds", shop.event(0));
    let nowhere = format!("/holds/hold_{}?token=x", "0".repeat(32));
    let hall = format!("/events/{}", shop.event(0));
    for (seen, status, words) in [
        (visitor.open("/nowhere").await?, 404, "Nothing here"),
        (visitor.open("/events/evt_0").await?, 404, "Nothing here"),
        (visitor.open(&nowhere).await?, 404, "Nothing here"),
        (visitor.send(&holds, &[("place", "1")], "cross-site").await?, 403, "This form came from elsewhere"),
        (visitor.send(&holds, &[], "same-origin").await?, 400, "Choose at least one place first"),
        (visitor.send(&holds, &[("place", "many")], "same-origin").await?, 400, "This place is not for sale"),
        (visitor.send(&holds, &[("place", "999999")], "same-origin").await?, 400, "This place is not for sale"),
        (visitor.open(&format!("{hall}?row=x&area=%ff&after=1&after=2&keep=,x")).await?, 200, "Choose your seats"),
        (visitor.open("/docs/errors").await?, 200, "place_taken"),
    ] {
        ensure!(
            seen.status == status && seen.text().contains(words),
            "{} instead of {status} {words}: {}",
            seen.status,
            seen.text()
        );
        ensure!(seen.policy.contains("script-src 'self'") && !seen.policy.contains("unsafe"), "{}", seen.policy);
        ensure!(
            !seen.html.contains("<script>") && !seen.html.contains("style=\"") && !seen.html.contains("onclick"),
            "nothing inline"
        );
    }
    Ok(())
}

#[tokio::test]
async fn hostile_names_are_escaped_on_every_page() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let bad = "</script><img src=x onerror=alert(1)>\"'&";
    let make = async |path: &str, body: Value| shop.post(path, Some("api_key"), &body).await;
    let venue = make("/api/v1/venues", json!({"name": bad, "address": bad})).await?;
    let seat = json!({"label": "1", "x": 0, "y": 0, "category": bad});
    let areas =
        json!([{"name": bad, "rows": [{"name": "A", "seats": [seat]}]}, {"name": format!("{bad}2"), "capacity": 5}]);
    let layout = make("/api/v1/layouts", json!({"venue": venue["id"], "areas": areas})).await?;
    let event = json!({"name": bad, "layout": layout["id"], "starts_at": "2099-01-01T18:00:00Z", "timezone": "Africa/Johannesburg",
        "sale": {"opens_at": "2020-01-01T00:00:00Z", "closes_at": "2099-01-01T00:00:00Z"}, "currency": "ZAR"});
    let event = make("/api/v1/events", event).await?;
    make(
        "/api/v1/ticket-types",
        json!({"event": event["id"], "name": bad, "price": {"amount": 100, "currency": "ZAR"}}),
    )
    .await?;
    let id = event["id"].as_str().context("an id")?.to_owned();
    make(&format!("/api/v1/events/{id}/publish"), json!({})).await?;
    let page = visitor.open(&format!("/events/{id}")).await?;
    let described = shop.get(&format!("/api/v1/events/{id}")).await?;
    let kind = described["ticket_types"][0]["id"].as_str().context("a ticket type")?.to_owned();
    let (_, hold) =
        visitor.send_and_follow(&format!("/events/{id}/holds"), &[("place", "0"), ("ticket_type", &kind)]).await?;
    for seen in [visitor.open("/").await?, page, hold] {
        ensure!(seen.status == 200, "{}", seen.status);
        ensure!(seen.html.contains("alert(1)"), "the name is shown");
        ensure!(!seen.html.contains("<img src=x"), "{}", seen.html);
    }
    make(&format!("/api/v1/events/{id}/close"), json!({})).await?;
    Ok(())
}
