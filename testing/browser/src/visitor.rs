//! A visitor without scripts: follows links, sends forms, keeps cookies, and sees the HTML.

use anyhow::Context;
use reqwest::header::LOCATION;

use crate::shop::Shop;

/// A visitor.
pub struct Visitor {
    shop: Shop,
    client: reqwest::Client,
}

/// An answer as a browser without scripts sees it.
#[derive(Debug)]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The page.
    pub html: String,
    /// The policy that it came with.
    pub policy: String,
}

impl Visitor {
    /// Enters a shop.
    pub fn enter(shop: &Shop) -> anyhow::Result<Self> {
        let client =
            reqwest::Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { shop: shop.clone(), client })
    }

    async fn seen(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Seen> {
        let answer = request.header("accept", "text/html,application/xhtml+xml").send().await?;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (location, policy) = (header(LOCATION.as_str()), header("content-security-policy"));
        Ok(Seen {
            status: answer.status().as_u16(),
            location,
            policy: policy.unwrap_or_default(),
            html: answer.text().await?,
        })
    }

    /// Opens a page.
    pub async fn open(&self, path: &str) -> anyhow::Result<Seen> {
        self.seen(self.client.get(self.shop.url(path))).await
    }

    /// Sends a form, as a page of the shop or of another site.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)], site: &str) -> anyhow::Result<Seen> {
        self.seen(self.client.post(self.shop.url(path)).header("sec-fetch-site", site).form(fields)).await
    }

    /// Sends a form of the shop and goes where it leads.
    pub async fn send_and_follow(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<(String, Seen)> {
        let answer = self.send(path, fields, "same-origin").await?;
        anyhow::ensure!(answer.status == 303, "{path} answers {}: {}", answer.status, text(&answer.html));
        let location = answer.location.context("a redirect names its target")?;
        let seen = self.open(&location).await?;
        Ok((location, seen))
    }
}

impl Seen {
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
