//! Requires that every handler of `web` has a row in the table of routes, and that no other file builds a router.
//!
//! Why: the row says who may call the route; a route without one can leak data to another tenant (P7).

use super::source_file::SourceFile;
use super::tokens::SyntaxKind;
use super::workspace::Workspace;
use super::{Finding, Rule};

/// The file that builds the routers from the rows.
const ASSEMBLY: &str = "crates/web/src/router.rs";

pub struct RouteRowsRule;

impl Rule for RouteRowsRule {
    fn name(&self) -> &'static str {
        "route-rows"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let files = workspace.rust_below("crates/web/src/").filter(|file| !file.is_test() && file.path != ASSEMBLY);
        files.flat_map(|file| handlers_without_a_row(file).into_iter().chain(routers(file))).collect()
    }
}

/// Functions under `#[utoipa::path]` that no `routes!(…)` of the same file names.
fn handlers_without_a_row(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let rows: Vec<&str> = tokens
        .find(&["routes", "!", "("])
        .filter_map(|index| tokens.0.get(index + 3).map(|token| token.text.as_str()))
        .collect();
    let attributes = tokens.find(&["utoipa"]).filter(|index| {
        tokens.0[*index..].iter().take(4).any(|token| token.text == "path")
            && tokens.0[index.saturating_sub(1)].text == "["
    });
    attributes
        .filter_map(|index| {
            let at = index + tokens.0[index..].iter().position(|token| token.text == "fn")?;
            tokens.0.get(at + 1).filter(|name| name.kind == SyntaxKind::Ident)
        })
        .filter(|name| !rows.contains(&name.text.as_str()))
        .map(|name| {
            let message = format!("the handler {} has no row in the table of routes", name.text);
            Finding::new(&file.path, name.line, message, "add `api(routes!(…), …)` to `routes()` of this file")
        })
        .collect()
}

/// Calls of `.route(…)`.
fn routers(file: &SourceFile) -> Vec<Finding> {
    let tokens = file.tokens();
    let calls = tokens.find(&[".", "route", "("]).filter(|index| !tokens.0[*index].is_test);
    calls
        .map(|index| {
            let fix = format!("return a row from `routes()`; {ASSEMBLY} builds the router");
            Finding::new(&file.path, tokens.0[index].line, "a router is built beside the table of routes", fix)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str) -> Vec<Finding> {
        RouteRowsRule.check(&Workspace::of(&[(path, text)]))
    }

    const HANDLER: &str = "#[utoipa::path(get, path = \"/api/v1/events\")]\npub async fn list() {}\n";

    #[test]
    fn handler_with_a_row_is_valid() {
        let file = format!("fn routes() {{ vec![api(routes!(list), Access::Buyer, Catalog::NAME)] }}\n{HANDLER}");
        assert!(check("crates/web/src/api/events.rs", &file).is_empty());
    }

    #[test]
    fn handler_without_a_row_is_found() {
        let file = format!("fn routes() {{ vec![api(routes!(show), Access::Buyer, Catalog::NAME)] }}\n{HANDLER}");
        let findings = check("crates/web/src/api/events.rs", &file);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 3);
        assert!(findings[0].message.contains("list"));
    }

    #[test]
    fn router_outside_of_the_assembly_is_found() {
        let call = "fn f() { Router::new().route(\"/x\", get(x)) }";
        assert_eq!(check("crates/web/src/pages/mod.rs", call).len(), 1);
        assert!(check(ASSEMBLY, call).is_empty());
    }
}
