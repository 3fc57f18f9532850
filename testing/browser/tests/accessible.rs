//! Checks every page with axe-core in both colour schemes and at both widths, and where the focus moves.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use voelgoed_browser::demo_shop::DemoShop;
use voelgoed_browser::driver::{ChromeBrowser, ChromeDriver, Screen};

const PAGE_TIMEOUT: Duration = Duration::from_secs(20);
/// The rules of WCAG 2.2 at level AA and below.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']";

fn axe() -> anyhow::Result<String> {
    let file = std::env::var("VOELGOED_AXE").context("start this suite by `cargo xtask test --only browser`")?;
    Ok(std::fs::read_to_string(file)?)
}

/// The findings of axe on the current page, a line each.
async fn violations(browser: &ChromeBrowser<'_>, axe: &str, page: &str) -> anyhow::Result<Vec<String>> {
    let run = format!(
        "{axe};\nreturn axe.run(document, {{resultTypes: ['violations'], runOnly: {RULES}}}).then(({{violations}}) => violations.flatMap(
            ({{id, impact, nodes}}) => nodes.map(({{target, failureSummary}}) => `${{id}} (${{impact}}) ${{target}}: ${{failureSummary}}`)))"
    );
    let found = browser.script(&run).await?;
    let lines = found.as_array().with_context(|| format!("{page}: axe answers {found}"))?;
    Ok(lines.iter().map(|line| format!("{page}: {}", line.as_str().unwrap_or_default())).collect())
}

async fn ready(browser: &ChromeBrowser<'_>) -> anyhow::Result<()> {
    browser.wait_for("document.getElementById('map-wait')?.hidden", PAGE_TIMEOUT).await.map(drop)
}

/// Opens the hall with three seats chosen in its list.
async fn choose_seats(browser: &ChromeBrowser<'_>, shop: &DemoShop) -> anyhow::Result<()> {
    browser.go(&shop.url(&format!("/events/{}", shop.event(0)))).await?;
    ready(browser).await?;
    let choose = "document.getElementById('show-list').click();
        const area = document.querySelector('details[data-area]'); area.open = true;
        document.getElementById('basket-sum').click();";
    browser.script(choose).await?;
    browser.wait_for("document.querySelector('button.seat:enabled')", PAGE_TIMEOUT).await?;
    browser
        .script("[...document.querySelectorAll('button.seat:enabled')].slice(-3).forEach((seat) => seat.click())")
        .await?;
    browser.wait_for("document.querySelectorAll('#basket-items li').length === 3", PAGE_TIMEOUT).await.map(drop)
}

/// Buys from the hall through a checkout with errors to a paid order; returns the findings of axe on the way.
async fn buy(browser: &ChromeBrowser<'_>, shop: &DemoShop, axe: &str, name: &str) -> anyhow::Result<Vec<String>> {
    choose_seats(browser, shop).await?;
    let mut found = violations(browser, axe, &format!("{name} chosen")).await?;
    browser.script("document.getElementById('hold').click()").await?;
    browser.wait_for("document.getElementById('order-form')", PAGE_TIMEOUT).await?;
    found.extend(violations(browser, axe, &format!("{name} checkout")).await?);
    // The server's own errors: without this the browser's would come first.
    let fill = "const form = document.getElementById('order-form'); form.noValidate = true;
        form.elements.name.value = ''; form.elements.email.value = 'nobody@nowhere';";
    browser.script(&format!("{fill} document.getElementById('pay').click()")).await?;
    browser.wait_for("document.getElementById('email-error')", PAGE_TIMEOUT).await?;
    found.extend(violations(browser, axe, &format!("{name} errors")).await?);
    let described = "const {activeElement: focused} = document;
        return [focused.id, focused.getAttribute('aria-describedby'), document.getElementById('email').value,
            document.querySelectorAll('#errors a').length].join()";
    let described = browser.script(described).await?;
    ensure!(
        described == "name,name-error,nobody@nowhere,2",
        "{name}: focus, description, what was typed, summary: {described}"
    );
    browser.script("const {elements} = document.getElementById('order-form'); elements.name.value = 'Ann'; elements.email.value = 'ann@example.org'; document.getElementById('pay').click()").await?;
    browser.wait_for("document.querySelector('.ticket')", PAGE_TIMEOUT).await?;
    found.extend(violations(browser, axe, &format!("{name} order")).await?);
    for path in ["/mine", "/"] {
        browser.go(&shop.url(path)).await?;
        found.extend(violations(browser, axe, &format!("{name} {path}")).await?);
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_satisfies_axe_in_both_schemes_at_both_widths() -> anyhow::Result<()> {
    let (shop, axe) = (DemoShop::of_suite()?, axe()?);
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let mut found = Vec::new();
    for (screen, width) in [(Screen::Desktop, "desktop"), (Screen::Phone, "phone")] {
        for scheme in ["light", "dark"] {
            let browser = driver.open(screen).await?;
            browser.prefer(scheme).await?;
            let name = format!("{width} {scheme}");
            let events = [0, 1, 2].map(|at| format!("/events/{}", shop.event(at)));
            for path in ["/", "/?past=1", "/mine", "/nowhere", "/docs/errors"]
                .into_iter()
                .chain(events.iter().map(String::as_str))
            {
                browser.go(&shop.url(path)).await?;
                if path.starts_with("/events/") {
                    ready(&browser).await?;
                }
                found.extend(violations(&browser, &axe, &format!("{name} {path}")).await?);
            }
            found.extend(buy(&browser, &shop, &axe, &name).await?);
        }
    }
    ensure!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
    Ok(())
}

/// A name of the focused element.
const FOCUS: &str = "const {activeElement: at} = document; return at === document.body ? 'body' : at.id || at.dataset.key || at.className || at.tagName";

#[tokio::test(flavor = "multi_thread")]
async fn focus_stays_in_the_basket_when_its_items_change() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let browser = driver.open(Screen::Phone).await?;
    choose_seats(&browser, &shop).await?;
    // The basket is emptied from its middle.
    let mut seen = Vec::new();
    for _ in 0..3 {
        browser.script("const all = document.querySelectorAll('#basket-items .remove'); const one = all[all.length >> 1]; one.focus(); one.click()").await?;
        seen.push(browser.script(FOCUS).await?);
    }
    let kinds: Vec<_> =
        seen.iter().map(|at| at.as_str().unwrap_or_default().split(':').next().unwrap_or_default()).collect();
    ensure!(kinds == ["remove", "remove", "basket-title"], "{seen:?}");
    // Choosing in the list keeps the focus on the seat, pressed or not.
    for _ in 0..2 {
        browser
            .script(
                "const seat = [...document.querySelectorAll('button.seat:enabled')].pop(); seat.focus(); seat.click()",
            )
            .await?;
        let at = browser.script("return document.activeElement.classList.contains('seat')").await?;
        ensure!(at == true, "{}", browser.script(FOCUS).await?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn focused_element_is_never_covered_by_the_basket_bar_on_a_phone() -> anyhow::Result<()> {
    let shop = DemoShop::of_suite()?;
    let driver = ChromeDriver::start(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let browser = driver.open(Screen::Phone).await?;
    for event in [0, 1] {
        browser.go(&shop.url(&format!("/events/{}", shop.event(event)))).await?;
        ready(&browser).await?;
        let covered = "const bar = document.getElementById('basket'), covered = []; let stops = 0;
            for (const stop of document.querySelectorAll('a[href], button, input, select, summary, canvas, [tabindex=\"0\"]')) {
                if (bar.contains(stop) || stop.disabled || stop.type === 'hidden' || !stop.checkVisibility({visibilityProperty: true})) continue;
                stop.focus(); stops++;
                const {top, bottom} = stop.getBoundingClientRect(), edge = bar.getBoundingClientRect().top;
                if (bottom > edge + 1 && bottom - top < edge) covered.push(`${stop.tagName} ${stop.name || stop.textContent.trim()} ${bottom} > ${edge}`);
            }
            return {stops, covered}";
        let seen = browser.script(covered).await?;
        ensure!(seen["stops"].as_u64().unwrap_or(0) > 10 && seen["covered"] == json!([]), "{seen}");
    }
    let far: Value = browser.script("return scrollY").await?;
    ensure!(far.as_f64().unwrap_or(0.0) > 0.0, "the page was scrolled: {far}");
    Ok(())
}
