//! Collects the rows of all routes and finds the row of a request by its method and matched path.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Method;

use super::route::{Handler, Route};
use super::spec::RouteSpec;
use crate::{api, health_and_metrics, pages};

/// Every route of both listeners.
#[must_use]
pub fn all() -> Vec<Route> {
    [api::routes(), pages::routes(), health_and_metrics::routes()].into_iter().flatten().collect()
}

/// The rows of the routes that the OpenAPI document has.
#[must_use]
pub fn documented() -> Vec<RouteSpec> {
    let is_api = |route: &Route| matches!(route.handler, Handler::Api(_));
    all().into_iter().filter(is_api).map(|route| route.spec).collect()
}

static SPECS: LazyLock<HashMap<String, Vec<RouteSpec>>> = LazyLock::new(|| {
    let mut specs: HashMap<String, Vec<RouteSpec>> = HashMap::new();
    for Route { spec, .. } in all() {
        specs.entry(spec.path.clone()).or_default().push(spec);
    }
    specs
});

/// The row of a request; none where no route is matched. A `HEAD` request has the row of `GET`.
#[must_use]
pub fn find(method: &Method, path: &str) -> Option<&'static RouteSpec> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    SPECS.get(path)?.iter().find(|spec| spec.method == *method)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::router::openapi_document;
    use crate::routes::{Access, Class};

    #[test]
    fn no_route_has_two_rows() {
        let mut seen = BTreeSet::new();
        for Route { spec, .. } in all() {
            assert!(seen.insert((spec.method.to_string(), spec.path.clone())), "{} {}", spec.method, spec.path);
        }
    }

    #[test]
    fn document_has_every_route_of_the_api_and_no_other() {
        let document = serde_json::to_value(openapi_document()).unwrap();
        let documented: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, methods)| {
                methods.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
            })
            .collect();
        let rows: BTreeSet<_> =
            super::documented().into_iter().map(|spec| (spec.method.to_string(), spec.path)).collect();
        assert_eq!(rows, documented);
    }

    #[test]
    fn every_row_names_a_slice_or_the_platform() {
        use voelgoed_app::slices::Slices;
        for Route { spec, .. } in all() {
            let is_known = spec.slice == crate::routes::PLATFORM || Slices::NAMES.contains(&spec.slice);
            assert!(is_known, "{} {}: {}", spec.method, spec.path, spec.slice);
        }
    }

    /// A wrong access in a row would open a route without an error elsewhere; the reviewed list makes each change visible.
    #[test]
    fn rows_are_those_of_the_reviewed_list() {
        let mut rows: Vec<_> = all()
            .into_iter()
            .map(|Route { spec, .. }| {
                let capability = spec.capability.map_or("-".to_owned(), |capability| format!("{capability:?}"));
                let listener = if spec.internal { "internal" } else { "public" };
                let sale = if spec.sale { "sale" } else { "-" };
                let (method, path, access, class) = (&spec.method, &spec.path, spec.access, spec.class);
                format!("{path} {method} {access:?} {class:?} {capability} {sale} {listener}")
            })
            .collect();
        rows.sort();
        let reviewed: Vec<_> = include_str!("reviewed.txt").lines().map(str::to_owned).collect();
        assert_eq!(rows, reviewed, "review the change, then write this to reviewed.txt:\n{}", rows.join("\n"));
    }

    #[test]
    fn head_has_the_row_of_get_and_an_unknown_method_has_none() {
        let get = find(&Method::GET, "/api/v1/events").unwrap();
        assert!(std::ptr::eq(get, find(&Method::HEAD, "/api/v1/events").unwrap()));
        assert!(find(&Method::PUT, "/api/v1/events").is_none());
        assert!(find(&Method::GET, "/api/v1/nowhere").is_none());
    }

    #[test]
    fn operators_routes_are_internal_and_need_no_permit() {
        for Route { spec, .. } in all().into_iter().filter(|route| route.spec.access == Access::Operator) {
            assert!(spec.internal && spec.class == Class::Health, "{} {}", spec.method, spec.path);
        }
    }

    #[test]
    fn internal_routes_of_the_api_are_the_operators() {
        for spec in super::documented().into_iter().filter(|spec| spec.internal) {
            assert_eq!(spec.access, Access::Operator, "{} {}", spec.method, spec.path);
        }
    }

    #[test]
    fn critical_routes_ask_for_a_proof_that_their_callers_can_give() {
        use crate::routes::Proof;
        for Route { spec, .. } in all() {
            let Class::Critical(proof) = spec.class else { continue };
            let fits = match proof {
                Proof::Device => spec.access == Access::Device,
                Proof::Organizer => matches!(spec.access, Access::Organizer(_)),
                Proof::Provider => spec.access == Access::Provider,
                Proof::HoldJson | Proof::HoldForm | Proof::Token | Proof::TokenForm => spec.access.has_session(),
            };
            assert!(fits, "{} {}", spec.method, spec.path);
        }
    }

    #[test]
    fn page_is_as_critical_as_the_api_route_of_the_same_command() {
        for (page, api) in [
            (("POST", "/holds/{hold}/order"), ("POST", "/api/v1/orders")),
            (("POST", "/events/{event}/holds"), ("POST", "/api/v1/events/{event}/holds")),
            (("GET", "/holds/{hold}"), ("GET", "/api/v1/holds/{hold}")),
            (("GET", "/orders/{order}"), ("GET", "/api/v1/orders/{order}")),
            (("POST", "/orders/{order}/payments"), ("POST", "/api/v1/orders/{order}/payments")),
            (("GET", "/events/{event}"), ("GET", "/api/v1/events/{event}")),
        ] {
            // The proof itself may be in a form instead of JSON.
            let of = |(method, path): (&str, &str)| {
                std::mem::discriminant(&find(&method.parse::<Method>().unwrap(), path).unwrap().class)
            };
            assert_eq!(of(page), of(api), "{page:?}");
        }
    }

    #[test]
    fn refused_commands_name_their_capability() {
        use voelgoed_resilience::Capability;
        for (method, path, capability) in [
            (Method::POST, "/api/v1/events/{event}/holds", Capability::Hold),
            (Method::PATCH, "/api/v1/holds/{hold}", Capability::Hold),
            (Method::POST, "/api/v1/orders", Capability::OrderAndPay),
            (Method::POST, "/api/v1/orders/{order}/payments", Capability::IssueAndRefund),
            (Method::POST, "/api/v1/orders/{order}/refunds", Capability::IssueAndRefund),
            (Method::POST, "/api/v1/scans", Capability::Scan),
            (Method::POST, "/api/v1/providers/{name}/callback", Capability::Callbacks),
        ] {
            assert_eq!(find(&method, path).unwrap().capability, Some(capability), "{method} {path}");
        }
    }
}
