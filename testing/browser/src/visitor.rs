//! Acts as a visitor without scripts: follows links, sends forms, keeps cookies, and reads the HTML.

use anyhow::{Context, ensure};
use reqwest::RequestBuilder;
use voelgoed_testkit::http_client::ApiClient;

use crate::demo_shop::DemoShop;

/// A visitor with a session of its own.
pub struct Visitor {
    client: ApiClient,
}

/// A response as a browser without scripts sees it.
#[derive(Debug)]
pub struct HtmlPage {
    /// The status code.
    pub status: u16,
    /// The target of a redirect.
    pub location: Option<String>,
    /// The HTML.
    pub html: String,
    /// The content security policy.
    pub policy: String,
}

impl Visitor {
    /// A new visitor of a shop.
    pub fn enter(shop: &DemoShop) -> anyhow::Result<Self> {
        Ok(Self { client: ApiClient::with_cookies(&shop.url(""))? })
    }

    async fn page(&self, request: RequestBuilder) -> anyhow::Result<HtmlPage> {
        let response = self.client.send(request.header("accept", "text/html,application/xhtml+xml")).await?;
        let location = Some(response.header("location").to_owned()).filter(|location| !location.is_empty());
        let policy = response.header("content-security-policy").to_owned();
        Ok(HtmlPage { status: response.status, location, policy, html: response.body })
    }

    /// Opens a page.
    pub async fn open(&self, path: &str) -> anyhow::Result<HtmlPage> {
        self.page(self.client.request("GET", path)).await
    }

    /// Sends a form, as a page of the shop or of another site.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)], site: &str) -> anyhow::Result<HtmlPage> {
        self.page(self.client.request("POST", path).header("sec-fetch-site", site).form(fields)).await
    }

    /// Sends a form of the shop, and follows its redirect.
    pub async fn send_and_follow(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(String, HtmlPage)> {
        let page = self.send(path, fields, "same-origin").await?;
        ensure!(page.status == 303, "{path} answers {}: {}", page.status, text(&page.html));
        let location = page.location.context("a redirect has a target")?;
        let page = self.open(&location).await?;
        Ok((location, page))
    }
}

impl HtmlPage {
    /// The value of the first hidden field with this name.
    pub fn hidden(&self, name: &str) -> anyhow::Result<&str> {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.html.split_once(&start).with_context(|| format!("the page has no field `{name}`"))?.1;
        Ok(rest.split('"').next().unwrap_or_default())
    }

    /// The values of the checkboxes for free places.
    pub fn free_places(&self) -> Vec<&str> {
        let boxes = self.html.split("<input type=\"checkbox\" name=\"place\" value=\"").skip(1);
        boxes
            .filter_map(|rest| {
                rest.split_once("\">")
                    .map(|(value, _)| value)
                    .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .collect()
    }

    /// The text of the page.
    pub fn text(&self) -> String {
        text(&self.html)
    }
}

/// HTML without its tags.
fn text(html: &str) -> String {
    let main = html.split_once("<main").map_or(html, |(_, rest)| rest);
    let mut text = String::new();
    for part in main.split('<') {
        text.push_str(part.split_once('>').map_or("", |(_, after)| after));
        text.push(' ');
    }
    text.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
