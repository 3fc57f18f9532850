//! Takes screenshots of every page on a phone and a desktop, and measures the drawing of the largest map while seats change.

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use voelgoed_browser::demo_shop::DemoShop;
use voelgoed_browser::driver::{ChromeBrowser, ChromeDriver, Screen};

const PAGE_TIMEOUT: Duration = Duration::from_secs(20);
/// For drawing 60,000 places the first time.
const FIRST_DRAW_MILLIS_MAX: f64 = 1_500.0;
const FRAME_MILLIS_MAX: f64 = 200.0;
const NAMES: [&str; 3] = ["hall", "festival", "stadium"];

async fn ready(browser: &ChromeBrowser<'_>) -> anyhow::Result<()> {
    browser
        .wait_for(
            "document.getElementById('map-wait')?.hidden && document.getElementById('stale').hidden",
            PAGE_TIMEOUT,
        )
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_both_widths_and_logs_no_error() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let folder = shop.screenshots()?;
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
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
                zoom_in(&browser).await?;
                browser.screenshot(&folder.join(format!("{width}-{name}-near.png"))).await?;
                browser.script("document.getElementById('show-list').click(); document.querySelector('details[data-area]').open = true; document.getElementById('list-view').scrollIntoView()").await?;
                browser.wait_for("document.querySelector('button.seat')", PAGE_TIMEOUT).await?;
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

/// Zooms in until seat numbers are readable, and chooses a seat.
async fn zoom_in(browser: &ChromeBrowser<'_>) -> anyhow::Result<()> {
    // With reduced motion the map jumps to the focused seat.
    browser.prefer("light").await?;
    let key = |key| {
        format!("document.querySelector('#map canvas').dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}'}}))")
    };
    browser.script("document.getElementById('map').scrollIntoView({block: 'center'}); document.querySelector('#map canvas').focus()").await?;
    // The first arrow key moves to the free seat in the middle.
    browser.script(&key("ArrowRight")).await?;
    browser.wait_for("document.getElementById('map-live').textContent", PAGE_TIMEOUT).await?;
    browser.script(&key("Enter")).await?;
    browser.wait_for("document.querySelectorAll('#basket-items li').length === 1", PAGE_TIMEOUT).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_thousand_places_are_drawn_without_freezing_while_others_buy() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let browser = driver.open(Screen::Desktop).await?;
    let event = shop.event(2);
    browser.go(&shop.url(&format!("/events/{event}"))).await?;
    ready(&browser).await?;
    let longest = "return new Promise((done) => new PerformanceObserver((list, observer) => { observer.disconnect(); done(Math.max(...list.getEntries().map(({duration}) => duration))); })
        .observe({type: 'longtask', buffered: true}) ?? setTimeout(() => done(0), 500))";
    let first = browser.script(longest).await?.as_f64().unwrap_or(f64::MAX);
    let described = shop.get(&format!("/api/v1/events/{event}")).await?;
    let kind = described["ticket_types"][0]["id"].clone();
    let areas: Vec<Value> = described["areas"].as_array().cloned().unwrap_or_default();
    let free = "[...document.querySelectorAll('.area-free [data-free]')].reduce((sum, one) => sum + Number(one.textContent), 0)";
    let before = browser.script(&format!("return {free}")).await?;
    let measure = "window.frameTimes = []; let last = performance.now();
        const frame = (now) => { window.frameTimes.push(now - last); last = now; requestAnimationFrame(frame); }; requestAnimationFrame(frame)";
    browser.script(measure).await?;
    // Forty holds of four seats in as many blocks, each by a session of its own.
    let mut held = 0;
    for area in areas.iter().cycle().take(40) {
        let wanted =
            json!({"items": [{"area": area["id"], "quantity": 4, "ticket_type": kind}], "best_available": true});
        held += u32::from(shop.post(&format!("/api/v1/events/{event}/holds"), None, &wanted).await.is_ok());
    }
    ensure!(held >= 10, "holds are granted: {held}");
    browser.wait_for(&format!("{before} - {free} >= {}", held * 4), PAGE_TIMEOUT).await?;
    let frames = browser.script("const all = window.frameTimes.slice().sort((a, b) => a - b); return {count: all.length, median: all[all.length >> 1], longest: all[all.length - 1]}").await?;
    println!("60,000 places: longest task of the first draw {first:.1} ms; frames while seats changed {frames}");
    ensure!(
        first < FIRST_DRAW_MILLIS_MAX && frames["median"].as_f64().unwrap_or(f64::MAX) < FRAME_MILLIS_MAX,
        "{first} {frames}"
    );
    Ok(())
}
