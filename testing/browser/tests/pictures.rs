//! Every page of every demo event as a phone and a desk see it, and what drawing the largest map costs while seats change.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use voelgoed_browser::driver::{Browser, Driver, Screen};
use voelgoed_browser::shop::Shop;

const SOON: Duration = Duration::from_secs(20);
/// The longest that drawing 60,000 places for the first time may take, in milliseconds; a frame with changes is far below it.
const FIRST_DRAW: f64 = 1_500.0;
const FRAME: f64 = 200.0;
const NAMES: [&str; 3] = ["hall", "festival", "stadium"];

async fn ready(browser: &Browser<'_>) -> anyhow::Result<()> {
    browser
        .wait_for("window.voelgoed && voelgoed.figures().frames > 0 && document.getElementById('stale').hidden", SOON)
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_at_both_widths() -> anyhow::Result<()> {
    let shop = Shop::of_suite()?;
    let folder = shop.screenshots()?;
    let driver = Driver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    for (screen, width, pixels) in [(Screen::Desktop, "desktop", 1_440), (Screen::Phone, "phone", 390)] {
        let browser = driver.open(screen).await?;
        browser.go(&shop.url("/")).await?;
        browser.screenshot(&folder.join(format!("{width}-list.png"))).await?;
        for (at, name) in NAMES.into_iter().enumerate() {
            browser.go(&shop.url(&format!("/events/{}", shop.event(at)))).await?;
            ready(&browser).await?;
            browser.screenshot(&folder.join(format!("{width}-{name}.png"))).await?;
            let sideways = browser
                .script(&format!("return Math.max(document.documentElement.scrollWidth, innerWidth) > {pixels}"))
                .await?;
            ensure!(sideways == false, "{name} must not scroll sideways at {width}");
            if at != 1 {
                near(&browser).await?;
                browser.screenshot(&folder.join(format!("{width}-{name}-near.png"))).await?;
                browser.script("document.getElementById('show-list').click(); document.querySelector('details[data-area]').open = true; document.getElementById('list-view').scrollIntoView()").await?;
                browser.wait_for("document.querySelector('button.seat')", SOON).await?;
                browser.screenshot(&folder.join(format!("{width}-{name}-list.png"))).await?;
            }
        }
        browser.go(&shop.url("/nowhere")).await?;
        let heading = browser.script("return document.querySelector('h1')?.textContent").await?;
        ensure!(heading == "Nothing here", "an error is a page for a person: {heading}");
        browser.screenshot(&folder.join(format!("{width}-nothing.png"))).await?;
        let complaints: Vec<_> =
            browser.complaints().await?.into_iter().filter(|line| !line.contains("/nowhere")).collect();
        ensure!(complaints.is_empty(), "{complaints:?}");
    }
    Ok(())
}

/// The map close enough to read seat numbers, with one of them chosen.
async fn near(browser: &Browser<'_>) -> anyhow::Result<()> {
    browser.script("document.getElementById('map').scrollIntoView({block: 'center'}); voelgoed.seatPosition(voelgoed.freeSeats(300).pop())").await?;
    browser.wait_for("!voelgoed.map().moving", SOON).await?;
    browser.script("document.querySelector('#map canvas').focus(); voelgoed.map().canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))").await?;
    browser.wait_for("document.getElementById('map-live').textContent", SOON).await?;
    browser.script("voelgoed.map().canvas.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}))").await?;
    browser.wait_for("voelgoed.chosen().length === 1 && !voelgoed.map().moving", SOON).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_thousand_places_are_drawn_without_freezing_while_others_buy() -> anyhow::Result<()> {
    let shop = Shop::of_suite()?;
    let driver = Driver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let browser = driver.open(Screen::Desktop).await?;
    let event = shop.event(2);
    browser.go(&shop.url(&format!("/events/{event}"))).await?;
    ready(&browser).await?;
    let first = browser.script("return voelgoed.figures().draws[0]").await?.as_f64().unwrap_or(f64::MAX);
    let described = shop.get(&format!("/api/v1/events/{event}")).await?;
    let kind = described["ticket_types"][0]["id"].clone();
    let areas: Vec<Value> = described["areas"].as_array().cloned().unwrap_or_default();
    let before = browser.script("return voelgoed.figures().frames").await?;
    // Forty holds of four seats in as many blocks, each by a session of its own.
    let mut held = 0;
    for area in areas.iter().cycle().take(40) {
        let wanted =
            json!({"items": [{"area": area["id"], "quantity": 4, "ticket_type": kind}], "best_available": true});
        held += u32::from(shop.post(&format!("/api/v1/events/{event}/holds"), None, &wanted).await.is_ok());
    }
    ensure!(held >= 10, "holds are granted: {held}");
    browser.wait_for(&format!("voelgoed.figures().frames > {before} && voelgoed.map().plan.state.filter((state) => state === 1).length >= {}", held * 4), SOON).await?;
    let frames = browser.script("const all = voelgoed.figures().draws.slice().sort((a, b) => a - b); return {count: all.length, median: all[all.length >> 1], most: all[all.length - 1]}").await?;
    let full = browser.script("const began = performance.now(); voelgoed.map().painter.draw(voelgoed.map().view); return performance.now() - began").await?;
    println!("60,000 places: first draw {first:.1} ms; whole redraw {full} ms; frames while seats changed {frames}");
    ensure!(first < FIRST_DRAW && frames["median"].as_f64().unwrap_or(f64::MAX) < FRAME, "{first} {frames}");
    Ok(())
}
