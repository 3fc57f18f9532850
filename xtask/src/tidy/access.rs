//! Every route stands in the access table of `web`, and the table names no route that is gone.
//!
//! A route that nobody thought about is how tenants mix (P7).

use super::house::{File, House};
use super::source::Kind;
use super::{Finding, Law};

const TABLE: &str = "crates/web/src/access.rs";

/// The law.
pub struct Access;

impl Law for Access {
    fn name(&self) -> &'static str {
        "access"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let Some(table) = house.file(TABLE) else { return Vec::new() };
        let listed = listed(table);
        let routes: Vec<_> = house
            .rust_below("crates/web/src/")
            .filter(|file| file.path != TABLE && !file.is_test())
            .flat_map(routes)
            .collect();
        let unlisted = routes.iter().filter(|route| !listed.iter().any(|(path, _)| covers(path, &route.path)));
        let gone = listed.iter().filter(|(path, _)| !routes.iter().any(|route| covers(path, &route.path)));
        unlisted
            .map(|Route { path, file, line }| {
                let message = format!("the route {path} is not in the access table");
                Finding::new(file, *line, message, format!("say in {TABLE} who may call it"))
            })
            .chain(gone.map(|(path, line)| {
                let message = format!("no router serves {path}");
                Finding::new(TABLE, *line, message, "delete the line, or correct its path")
            }))
            .collect()
    }
}

struct Route {
    path: String,
    file: String,
    line: usize,
}

/// A router may be nested, so a table's path covers a route that is its tail.
fn covers(listed: &str, route: &str) -> bool {
    listed == route || (route.len() > 1 && listed.ends_with(route))
}

/// The paths in the table outside its tests.
fn listed(table: &File) -> Vec<(String, usize)> {
    let tokens = table.tokens();
    let literals = (0..tokens.0.len()).filter(|index| !tokens.0[*index].is_test && !is_documentation(table, *index));
    literals
        .filter_map(|index| Some((tokens.string(index)?, tokens.0[index].line)))
        .filter(|(path, _)| path.starts_with('/'))
        .collect()
}

fn is_documentation(file: &File, index: usize) -> bool {
    index >= 2 && file.tokens().matches(index - 2, &["doc", "="])
}

/// The paths given to `.route("…", …)` and `path = "…"` of route attributes.
fn routes(file: &File) -> Vec<Route> {
    let tokens = file.tokens();
    let calls = tokens.find(&[".", "route", "("]).map(|index| index + 3);
    let attributes = tokens.find(&["path", "="]).map(|index| index + 2);
    calls
        .chain(attributes)
        .filter(|index| !tokens.0[*index].is_test && tokens.0[*index].kind == Kind::Literal)
        .filter_map(|index| {
            Some(Route { path: tokens.string(index)?, file: file.path.clone(), line: tokens.0[index].line })
        })
        // `#[template(path = "…")]` names a file.
        .filter(|route| route.path.starts_with('/'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: &str, router: &str) -> Vec<Finding> {
        Access.check(&House::of(&[(TABLE, table), ("crates/web/src/api/router.rs", router)]))
    }

    const TABLE_OF_ONE: &str = r#"const T: &[Line] = &[line(Get, "/api/v1/events/{event}", Anybody)];"#;

    #[test]
    fn a_listed_route_is_lawful_nested_or_not() {
        for router in [
            r#"r.route("/api/v1/events/{event}", get(x))"#,
            r#"r.route("/events/{event}", get(x))"#,
            r#"#[utoipa::path(get, path = "/api/v1/events/{event}")] async fn x() {}"#,
        ] {
            assert!(check(TABLE_OF_ONE, router).is_empty(), "{router}");
        }
    }

    #[test]
    fn an_unlisted_route_and_a_listed_one_that_is_gone_are_found() {
        let findings = check(TABLE_OF_ONE, "\nr.route(\"/api/v1/orders\", get(x))");
        assert_eq!(findings.len(), 2);
        assert_eq!((findings[0].file.as_str(), findings[0].line), ("crates/web/src/api/router.rs", 2));
        assert!(findings[1].message.contains("/api/v1/events/{event}"));
    }
}
