//! Runs a whole sale in two real browsers: one buys on the map, the other sees the change; the gate admits each ticket once.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use voelgoed_browser::demo_shop::DemoShop;
use voelgoed_browser::driver::{ChromeBrowser, ChromeDriver, Screen};

const PAGE_TIMEOUT: Duration = Duration::from_secs(15);

async fn open_map(browser: &ChromeBrowser<'_>, shop: &DemoShop, event: usize) -> anyhow::Result<()> {
    browser.go(&shop.url(&format!("/events/{}", shop.event(event)))).await?;
    browser
        .wait_for(
            "document.getElementById('map-wait')?.hidden && document.getElementById('stale').hidden",
            PAGE_TIMEOUT,
        )
        .await?;
    Ok(())
}

/// Words of the map's live region for seats that cannot be chosen without more.
const NOT_FREE: [&str; 7] =
    ["holding it", "sold", "not on sale", "not for sale", "chosen", "reserved for you", "wheelchair space"];

/// Moves the keyboard's focus to a free seat, which brings it into the middle of the map, and clicks it there; returns its label in the basket.
async fn click_free_seat(browser: &ChromeBrowser<'_>) -> anyhow::Result<String> {
    let focus = "document.getElementById('map').scrollIntoView({block: 'center'}); document.querySelector('#map canvas').focus()";
    browser.script(focus).await?;
    let mut spoken = String::new();
    for key in ["ArrowRight", "ArrowRight", "ArrowDown"].into_iter().cycle().take(60) {
        let press = format!(
            "document.querySelector('#map canvas').dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}'}}))"
        );
        let seen = browser.script(&format!("{press}; return document.getElementById('map-live').textContent")).await?;
        spoken = seen.as_str().unwrap_or_default().to_owned();
        if NOT_FREE.iter().all(|words| !spoken.contains(words)) {
            break;
        }
    }
    ensure!(NOT_FREE.iter().all(|words| !spoken.contains(words)), "no free seat was found: {spoken}");
    let lines = "document.querySelectorAll('#basket-items li').length";
    let before = browser.script(&format!("return {lines}")).await?;
    let middle = "const {left, top, width, height} = document.querySelector('#map canvas').getBoundingClientRect(); return {x: left + width / 2, y: top + height / 2}";
    let at = browser.script(middle).await?;
    browser.click_at(at["x"].as_f64().unwrap_or(0.0), at["y"].as_f64().unwrap_or(0.0)).await?;
    browser.wait_for(&format!("{lines} === {before} + 1"), PAGE_TIMEOUT).await?;
    let label =
        browser.script("return [...document.querySelectorAll('#basket-items li strong')].pop().textContent").await?;
    Ok(label.as_str().context("a basket line has a label")?.to_owned())
}

/// An expression for the words of a seat's button in the list, whose area is opened.
fn listed_seat(label: &str) -> String {
    format!(
        "(() => {{
            const [area, row, seat] = {}.split(' · ');
            document.getElementById('show-list').click();
            const details = [...document.querySelectorAll('details[data-area]')].find((one) => one.querySelector('.area-name').textContent === area);
            details.open = true;
            const group = [...details.querySelectorAll('[role=group]')].find((one) => one.getAttribute('aria-label') === row);
            return [...(group?.querySelectorAll('button') ?? [])].map((one) => one.getAttribute('aria-label')).find((words) => words.startsWith(`${{seat}}, `)) ?? '';
        }})()",
        Value::from(label)
    )
}

async fn fill_in_and_pay(browser: &ChromeBrowser<'_>, method: &str) -> anyhow::Result<()> {
    browser
        .wait_for("location.pathname.startsWith('/holds/') && document.getElementById('order-form')", PAGE_TIMEOUT)
        .await?;
    browser.type_into("input[name=name]", "Thandi Botha").await?;
    browser.type_into("input[name=email]", "thandi@example.org").await?;
    browser.click(&format!("input[value='sandbox:{method}']")).await?;
    browser.script("document.getElementById('pay').scrollIntoView({block: 'center'})").await?;
    browser.click("#pay").await
}

#[tokio::test(flavor = "multi_thread")]
async fn bought_seats_show_in_another_browser_and_their_tickets_admit_once() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let folder = shop.screenshots()?;
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let (buyer, viewer) = (driver.open(Screen::Desktop).await?, driver.open(Screen::Desktop).await?);
    open_map(&buyer, &shop, 0).await?;
    open_map(&viewer, &shop, 0).await?;
    // With reduced motion the map jumps to the focused seat.
    buyer.prefer("light").await?;
    let seats = [click_free_seat(&buyer).await?, click_free_seat(&buyer).await?];
    let listed = |words: &str| {
        let [one, two] = seats.each_ref().map(|label| format!("{}.endsWith('{words}')", listed_seat(label)));
        format!("{one} && {two}")
    };
    viewer.wait_for(&listed(", free"), PAGE_TIMEOUT).await?;
    buyer.screenshot(&folder.join("desktop-chosen.png")).await?;
    buyer.click("#hold").await?;
    buyer.wait_for("location.pathname.startsWith('/holds/')", PAGE_TIMEOUT).await?;
    let held = Instant::now();
    viewer.wait_for(&listed(", held by somebody"), Duration::from_secs(1)).await?;
    println!(
        "the other browser saw both seats held {} ms after the buyer's page had changed",
        held.elapsed().as_millis()
    );
    fill_in_and_pay(&buyer, "ok").await?;
    buyer.wait_for("document.querySelectorAll('.ticket').length === 2", PAGE_TIMEOUT).await?;
    buyer
        .wait_for(
            "[...document.querySelectorAll('.qr')].every((image) => image.complete && image.naturalWidth > 0)",
            PAGE_TIMEOUT,
        )
        .await?;
    viewer.wait_for(&listed(", sold"), PAGE_TIMEOUT).await?;
    buyer.screenshot(&folder.join("desktop-paid.png")).await?;
    admits_once(&shop, &buyer).await?;
    for browser in [&buyer, &viewer] {
        let complaints = browser.complaints().await?;
        ensure!(complaints.is_empty(), "{complaints:?}");
    }
    Ok(())
}

async fn admits_once(shop: &DemoShop, buyer: &ChromeBrowser<'_>) -> anyhow::Result<()> {
    let at = buyer.script("return document.getElementById('order').dataset.order + '?token=' + document.getElementById('order').dataset.token").await?;
    let order = shop.get(&format!("/api/v1/orders/{}", at.as_str().context("an address")?)).await?;
    let code = order["tickets"][0]["code"].as_str().context("a ticket has a code")?.to_owned();
    let first = shop.scan(&code).await?;
    ensure!(first["result"] == "admitted", "{first}");
    let second = shop.scan(&code).await?;
    ensure!(second["result"] == "refused" && second["reason"] == "already_used", "{second}");
    ensure!(second["first"]["at"].is_string() && second["first"]["gate"] == shop.card["gate"], "{second}");
    buyer.go(buyer.script("return location.href").await?.as_str().unwrap_or_default()).await?;
    buyer.wait_for("document.querySelector('.ticket-off')", PAGE_TIMEOUT).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn declined_payment_can_be_repeated_on_a_phone() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let folder = shop.screenshots()?;
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let phone = driver.open(Screen::Phone).await?;
    open_map(&phone, &shop, 1).await?;
    phone.script("document.querySelector('.ga-card [data-step=\"1\"]').click()").await?;
    phone.screenshot(&folder.join("phone-festival-chosen.png")).await?;
    phone.click("#hold").await?;
    phone.wait_for("location.pathname.startsWith('/holds/')", PAGE_TIMEOUT).await?;
    phone.screenshot(&folder.join("phone-checkout.png")).await?;
    fill_in_and_pay(&phone, "declined").await?;
    phone.wait_for("document.querySelector('form.again')", PAGE_TIMEOUT).await?;
    phone.screenshot(&folder.join("phone-declined.png")).await?;
    phone.click("input[value='sandbox:slow']").await?;
    // A page that the browser restores reads its state again; a chosen method survives that. Reads follow each other: at the second, the first is done.
    let looks = "performance.getEntriesByType('resource').filter((one) => one.initiatorType === 'fetch').length";
    let before = phone.script(&format!("return {looks}")).await?;
    let returned = "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));";
    phone.script(&returned.repeat(2)).await?;
    phone.wait_for(&format!("{looks} >= {before} + 2"), PAGE_TIMEOUT).await?;
    phone.wait_for("document.querySelector(\"input[value='sandbox:slow']\").checked", PAGE_TIMEOUT).await?;
    phone.script("document.getElementById('pay').scrollIntoView({block: 'center'})").await?;
    phone.click("#pay").await?;
    phone.wait_for("document.querySelector('.news-wait')", PAGE_TIMEOUT).await?;
    phone.screenshot(&folder.join("phone-waiting.png")).await?;
    phone.wait_for("document.querySelectorAll('.ticket .qr').length === 1", PAGE_TIMEOUT).await?;
    phone.wait_for("document.querySelector('.qr').naturalWidth > 0", PAGE_TIMEOUT).await?;
    phone.screenshot(&folder.join("phone-ticket.png")).await?;
    let complaints = phone.complaints().await?;
    ensure!(complaints.is_empty(), "{complaints:?}");
    Ok(())
}
