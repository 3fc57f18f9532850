//! Checks without scripts that reserved places, choices, typed text and orders are found again, also after a closed tab.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use voelgoed_browser::demo_shop::DemoShop;
use voelgoed_browser::visitor::{HtmlPage, Visitor};
use voelgoed_testkit::until::until;

/// Makes an event with seats 1 to `seats` in each of two areas, and two ticket types.
async fn event(shop: &DemoShop, seats: u32, sale: Value) -> anyhow::Result<Value> {
    let make = async |path: &str, body: Value| shop.post(path, Some("api_key"), &body).await;
    let venue = make("/api/v1/venues", json!({"name": "A house", "address": "Somewhere"})).await?;
    let row: Vec<_> =
        (1..=seats).map(|at| json!({"label": at.to_string(), "x": at * 20, "y": 0, "category": "A"})).collect();
    let areas = ["Stalls", "Circle"].map(|name| json!({"name": name, "rows": [{"name": "A", "seats": row}]}));
    let layout = make("/api/v1/layouts", json!({"venue": venue["id"], "areas": areas})).await?;
    let event = json!({"name": "A small evening", "layout": layout["id"], "starts_at": "2099-01-01T18:00:00Z",
        "timezone": "Africa/Johannesburg", "sale": sale, "currency": "ZAR"});
    let event = make("/api/v1/events", event).await?;
    let price = json!({"amount": 100, "currency": "ZAR"});
    for name in ["Adult", "Child"] {
        make("/api/v1/ticket-types", json!({"event": event["id"], "name": name, "price": price})).await?;
    }
    make(&format!("/api/v1/events/{}/publish", event["id"].as_str().unwrap_or_default()), json!({})).await?;
    shop.get(&format!("/api/v1/events/{}", event["id"].as_str().unwrap_or_default())).await
}

fn open_sale() -> Value {
    json!({"opens_at": "2020-01-01T00:00:00Z", "closes_at": "2099-01-01T00:00:00Z"})
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_default()
}

async fn held(visitor: &Visitor, event: &Value, places: &[&str]) -> anyhow::Result<(String, HtmlPage)> {
    let fields: Vec<_> = places.iter().map(|place| ("place", *place)).collect();
    visitor.send_and_follow(&format!("/events/{}/holds", id(event)), &fields).await
}

fn path(address: &str) -> &str {
    address.split('?').next().unwrap_or_default()
}

/// How many checkboxes of a place are on the page, and how many are checked.
fn boxes(seen: &HtmlPage, place: u32) -> (usize, usize) {
    let one = format!("<input type=\"checkbox\" name=\"place\" value=\"{place}\"");
    (seen.html.matches(&one).count(), seen.html.matches(&format!("{one} checked")).count())
}

#[tokio::test]
async fn reserved_places_are_shown_on_every_page_of_their_session_only() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let (visitor, stranger) = (Visitor::enter(&shop)?, Visitor::enter(&shop)?);
    let event = event(&shop, 3, open_sale()).await?;
    let page = format!("/events/{}", id(&event));
    let (address, _) = held(&visitor, &event, &["0", "1"]).await?;
    for at in ["/", page.as_str(), "/mine"] {
        let seen = visitor.open(at).await?;
        let words = seen.text();
        ensure!(words.contains("Reserved for you") && words.contains("2 places"), "{at}: {words}");
        ensure!(words.contains("minutes left") && words.contains("Continue to checkout"), "{at}: {words}");
        ensure!(seen.html.contains(path(&address)), "{at} leads to the checkout");
        ensure!(!stranger.open(at).await?.text().contains("Reserved for you"), "{at} of a stranger");
    }
    let area = event["areas"][0]["id"].as_str().unwrap_or_default();
    let list = visitor.open(&format!("{page}?area={area}")).await?.text();
    ensure!(list.matches("reserved for you").count() == 2, "{list}");
    // Other sessions see the change a moment later.
    let list = until("the places are taken for a stranger", Duration::from_secs(20), || async {
        let list = stranger.open(&format!("{page}?area={area}")).await?.text();
        Ok((list.matches(" taken").count() == 2).then_some(list))
    })
    .await?;
    ensure!(!list.contains("reserved for you"), "{list}");
    // The session that holds the places needs no token; another session needs it.
    ensure!(visitor.open(path(&address)).await?.text().contains("Who is going?"), "by the session alone");
    ensure!(stranger.open(path(&address)).await?.status == 404, "a stranger without the token");
    Ok(())
}

#[tokio::test]
async fn order_is_found_again_after_the_tab_was_closed() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let (visitor, stranger) = (Visitor::enter(&shop)?, Visitor::enter(&shop)?);
    let event = event(&shop, 3, open_sale()).await?;
    let (address, hold) = held(&visitor, &event, &["2"]).await?;
    let fields = [
        ("token", hold.hidden("token")?),
        ("key", hold.hidden("key")?),
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("method", "sandbox:ok"),
    ];
    let (order, _) = visitor.send_and_follow(&format!("{}/order", path(&address)), &fields).await?;
    let mine = visitor.open("/mine").await?;
    ensure!(mine.html.contains(path(&order)) && mine.text().contains("A small evening"), "{}", mine.text());
    ensure!(!mine.html.contains("ann@example.org"), "the page shows no buyer's name or address");
    ensure!(visitor.open(path(&order)).await?.status == 200, "by the session alone");
    ensure!(stranger.open(path(&order)).await?.status == 404, "a stranger without the token");
    ensure!(stranger.open("/mine").await?.text().contains("Nothing is reserved"), "a stranger's page");
    let back = visitor.send("/mine/forget", &[], "same-origin").await?;
    ensure!(back.status == 303 && visitor.open("/mine").await?.text().contains("Nothing is reserved"), "forgotten");
    Ok(())
}

#[tokio::test]
async fn removing_a_seat_keeps_the_typed_fields() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let event = event(&shop, 3, open_sale()).await?;
    let (address, hold) = held(&visitor, &event, &["0", "1", "2"]).await?;
    let (remove, token) = (format!("{}/remove", path(&address)), hold.hidden("token")?);
    let typed =
        [("token", token), ("place", "0"), ("name", "Thandi \"B\""), ("email", "thandi@"), ("method", "sandbox:slow")];
    let kept = visitor.send(&remove, &typed, "same-origin").await?;
    ensure!(kept.status == 200 && kept.text().contains("was given back"), "{} {}", kept.status, kept.text());
    ensure!(kept.html.matches("aria-label=\"Remove ").count() == 2, "{}", kept.text());
    for part in ["value=\"Thandi &#34;B&#34;\"", "value=\"thandi@\"", "value=\"sandbox:slow\" required checked"] {
        ensure!(kept.html.contains(part), "{part} in {}", kept.html);
    }
    // The same form again, e.g. by reloading, changes nothing.
    let again = visitor.send(&remove, &typed, "same-origin").await?;
    ensure!(again.status == 200 && again.html.matches("aria-label=\"Remove ").count() == 2, "{}", again.text());
    Ok(())
}

#[tokio::test]
async fn errors_of_the_checkout_are_next_to_their_fields() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let event = event(&shop, 3, open_sale()).await?;
    let (address, hold) = held(&visitor, &event, &["0"]).await?;
    let (token, key) = (hold.hidden("token")?, hold.hidden("key")?);
    let order = format!("{}/order", path(&address));
    for (name, email, method, wrong) in [
        ("", "", "", &["name", "email", "method"][..]),
        ("Ann", "not an address", "sandbox:ok", &["email"]),
        ("", "ann@example.org", "sandbox:ok", &["name"]),
        ("Ann", "ann@example.org", "sandbox:never", &["method"]),
        ("Ann", "ann@example.org", "", &["method"]),
    ] {
        let fields = [("token", token), ("key", key), ("name", name), ("email", email), ("method", method)];
        let seen = visitor.send(&order, &fields, "same-origin").await?;
        ensure!(seen.status == 400, "{} {}", seen.status, seen.text());
        for field in ["name", "email", "method"] {
            let is_wrong = wrong.contains(&field);
            for part in [
                format!("id=\"{field}-error\""),
                format!("aria-describedby=\"{field}-error\""),
                format!("href=\"#{field}\""),
            ] {
                ensure!(
                    seen.html.contains(&part) == is_wrong,
                    "{name:?} {email:?} {method:?}: {part} in {}",
                    seen.text()
                );
            }
        }
        ensure!(
            seen.html
                .contains(&format!("name=\"name\" required maxlength=\"200\" autocomplete=\"name\" value=\"{name}\"")),
            "typed stays"
        );
    }
    Ok(())
}

#[tokio::test]
async fn checked_seats_survive_a_change_of_area_and_appear_once() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let (visitor, fast) = (Visitor::enter(&shop)?, Visitor::enter(&shop)?);
    let event = event(&shop, 3, open_sale()).await?;
    let [stalls, circle] = [0, 1].map(|at| event["areas"][at]["id"].as_str().unwrap_or_default().to_owned());
    let child = event["ticket_types"][1]["id"].as_str().context("a ticket type")?;
    let page = format!("/events/{}", id(&event));
    held(&fast, &event, &["1"]).await?;
    // Refused, the page offers other areas by addresses that can be opened.
    let fields = [("place", "0"), ("place", "1"), ("ticket_type", child), ("shown_area", stalls.as_str())];
    let refused = visitor.send(&format!("{page}/holds"), &fields, "same-origin").await?;
    ensure!(refused.status == 409 && refused.text().contains("Somebody was faster"), "{}", refused.text());
    ensure!(!refused.html.contains("href=\"?"), "no address is relative to the form's");
    ensure!(
        refused.html.matches(&format!("formmethod=\"get\" formaction=\"{page}#seats\"")).count() >= 2,
        "areas by GET"
    );
    ensure!(boxes(&refused, 0) == (1, 1) && boxes(&refused, 1) == (1, 0), "{:?}", boxes(&refused, 0));
    // The request of the button for the other area.
    let other = visitor.open(&format!("{page}?place=0&ticket_type={child}&shown_area={stalls}&show={circle}")).await?;
    ensure!(boxes(&other, 0) == (1, 1) && boxes(&other, 3) == (1, 0), "{}", other.text());
    ensure!(other.html.contains(&format!("name=\"type:0\" value=\"{child}\"")), "it keeps its ticket type");
    // Back again, with a seat of the other area.
    let both = visitor
        .open(&format!("{page}?place=0&type:0={child}&place=4&shown_area={circle}&show={stalls}&keep=0,4"))
        .await?;
    ensure!(boxes(&both, 0) == (1, 1) && boxes(&both, 4) == (1, 1), "{}", both.text());
    ensure!(both.html.contains("class=\"hold-bar"), "the button is within reach");
    let fields = [("place", "0"), ("type:0", child), ("place", "4"), ("ticket_type", child)];
    let (_, hold) = visitor.send_and_follow(&format!("{page}/holds"), &fields).await?;
    ensure!(hold.text().contains("2 places"), "{}", hold.text());
    Ok(())
}

/// The page shows the state of the last tick.
const TICK_TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn link_with_kept_places_names_the_taken_ones() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let (visitor, fast) = (Visitor::enter(&shop)?, Visitor::enter(&shop)?);
    let event = event(&shop, 3, open_sale()).await?;
    held(&fast, &event, &["1"]).await?;
    held(&visitor, &event, &["2"]).await?;
    let link = format!("/events/{}?keep=0,1,2,77", id(&event));
    let seen = until("the page says who was faster", TICK_TIMEOUT, || async {
        let seen = visitor.open(&link).await?;
        Ok(seen.text().contains("Somebody was faster with").then_some(seen))
    })
    .await?;
    let words = seen.text();
    for part in [
        "Somebody was faster with Stalls",
        "Seat 2.",
        "Reserved for you already: Stalls",
        "Seat 3.",
        "1 place of the link is not part of this event",
    ] {
        ensure!(words.contains(part), "{part} in {words}");
    }
    ensure!(boxes(&seen, 0) == (1, 1) && boxes(&seen, 1) == (0, 0), "{words}");
    Ok(())
}

#[tokio::test]
async fn address_of_a_form_redirects_to_its_page() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let event = event(&shop, 3, open_sale()).await?;
    let (address, hold) = held(&visitor, &event, &["0", "1"]).await?;
    let page = format!("/events/{}", id(&event));
    let token = hold.hidden("token")?;
    for (form, leads) in [
        (format!("{page}/holds"), page.clone()),
        (format!("{}/remove?token={token}", path(&address)), address.clone()),
        (format!("{}/order", path(&address)), path(&address).to_owned()),
        (format!("{}/release", path(&address)), path(&address).to_owned()),
        ("/orders/ord_1/payments".to_owned(), "/orders/ord_1".to_owned()),
        ("/mine/forget".to_owned(), "/mine".to_owned()),
    ] {
        let seen = visitor.open(&form).await?;
        ensure!(seen.status == 303 && seen.location.as_deref() == Some(leads.as_str()), "{form}: {seen:?}");
    }
    // A form sent to its page, and an expired hold, have links to go on.
    let posted = visitor.send(&page, &[], "same-origin").await?;
    ensure!(posted.status == 405 && posted.html.contains(&format!("href=\"{page}\"")), "{}", posted.text());
    let gone = visitor.send(&format!("{}/release", path(&address)), &[("token", token)], "same-origin").await?;
    ensure!(gone.status == 303, "{}", gone.status);
    let over = visitor.open(&format!("{address}&keep=0,1")).await?;
    ensure!(over.status == 410 && !over.html.contains("order-form"), "{}", over.text());
    ensure!(over.html.contains(&format!("{page}?keep=0,1")), "the way on keeps the places");
    Ok(())
}

#[tokio::test]
async fn sold_out_or_closed_event_shows_no_choice() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    let full = event(&shop, 1, open_sale()).await?;
    held(&Visitor::enter(&shop)?, &full, &["0", "1"]).await?;
    let later = json!({"opens_at": "2098-06-01T08:00:00Z", "closes_at": "2099-01-01T00:00:00Z"});
    let later = event(&shop, 1, later).await?;
    let over =
        event(&shop, 1, json!({"opens_at": "2020-01-01T00:00:00Z", "closes_at": "2020-02-01T00:00:00Z"})).await?;
    let [paused, closed] = [event(&shop, 1, open_sale()).await?, event(&shop, 1, open_sale()).await?];
    shop.post(&format!("/api/v1/events/{}/pause", id(&paused)), Some("api_key"), &json!({})).await?;
    shop.post(&format!("/api/v1/events/{}/close", id(&closed)), Some("api_key"), &json!({})).await?;
    for (event, words) in [
        (full, "Places come back when somebody lets go"),
        (later, "The sale opens on Sunday 1 June 2098, 10:00 SAST."),
        (over, "The sale closed on Saturday 1 February 2020"),
        (paused, "The organizer has paused the sale"),
        (closed, "No more tickets are sold"),
    ] {
        let mut looks = tokio::time::interval(std::time::Duration::from_millis(100));
        let mut seen = visitor.open(&format!("/events/{}", id(&event))).await?;
        // The page follows a change after a moment.
        for _ in 0..50 {
            if seen.text().contains(words) {
                break;
            }
            looks.tick().await;
            seen = visitor.open(&format!("/events/{}", id(&event))).await?;
        }
        ensure!(seen.text().contains(words), "{words}: {}", seen.text());
        for part in
            ["tap a seat", "Tap seats", "id=\"hold\"", "Hold these places", "Hold the best seats", "Show the seats in"]
        {
            ensure!(!seen.html.contains(part), "{words}: {part}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn front_page_lists_upcoming_events_in_order() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let visitor = Visitor::enter(&shop)?;
    event(&shop, 1, open_sale()).await?;
    let coming = visitor.open("/").await?;
    ensure!(coming.html.contains("href=\"/?past=1\""), "past events are one step away");
    let dates: Vec<_> = coming
        .html
        .split("<time class=\"date\" datetime=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    ensure!(!dates.is_empty() && dates.is_sorted_by_key(|date| &date[..10]), "{dates:?}");
    ensure!(visitor.open("/?after=nonsense").await?.status == 200, "a cursor that is none");
    ensure!(visitor.open("/?past=1").await?.text().contains("Past events"), "the past has a page");
    Ok(())
}
