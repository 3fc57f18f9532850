//! Renders docs/errors.md as a page with an anchor per code. The member `type` of each problem links to it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::page_layout::{PageLayout, html_page};

const TEXT: &str = include_str!("../../../../docs/errors.md");

struct Section {
    title: String,
    rows: Vec<Row>,
}

struct Row {
    code: String,
    status: String,
    when: String,
    what_to_do: String,
}

#[derive(Template)]
#[template(path = "error_codes.html")]
struct ErrorCodesPage {
    page_layout: PageLayout,
    sections: Vec<Section>,
}

/// Shows the page.
pub async fn show() -> Response {
    html_page(StatusCode::OK, &ErrorCodesPage { page_layout: PageLayout::new("Error codes"), sections: sections(TEXT) })
}

/// The tables of the document by heading.
fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            sections.push(Section { title: title.to_owned(), rows: Vec::new() });
        } else if let (Some(section), Some(row)) = (sections.last_mut(), row(line)) {
            section.rows.push(row);
        }
    }
    sections
}

/// A line `| code | status | when | what to do |` of a table.
fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix("| `")?.split(" | ");
    let code = cells.next()?.trim_end_matches('`').to_owned();
    let plain = |cell: &str| cell.replace('`', "").trim_end_matches(['|', ' ']).to_owned();
    Some(Row { code, status: cells.next()?.to_owned(), when: plain(cells.next()?), what_to_do: plain(cells.next()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use voelgoed_domain::refusal::Code;

    #[test]
    fn every_error_code_has_an_anchor() {
        let listed: Vec<_> = sections(TEXT).into_iter().flat_map(|section| section.rows).map(|row| row.code).collect();
        for code in Code::ALL {
            assert!(listed.iter().any(|known| known == code.as_str()), "{}", code.as_str());
        }
    }
}
