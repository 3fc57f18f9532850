//! Completes the OpenAPI document that utoipa gathers from the handlers: errors, shapes of identifiers, credentials.

use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder, Schema};

use crate::extract::LOGIN_COOKIE;
use crate::routes::{Access, RouteSpec};

/// The head of the document.
#[derive(OpenApi)]
#[openapi(info(
    title = "Voelgoed",
    description = "Tickets, sold and scanned when everybody wants them at once.",
    license(name = "Apache-2.0")
))]
pub struct Document;

/// The errors of any route, all `application/problem+json`.
const COMMON_ERRORS: &[(&str, &str)] = &[
    ("400", "a field is missing, malformed or out of range"),
    ("401", "no valid key, session or signature"),
    ("403", "the caller may not do this"),
    ("404", "nothing here for this caller"),
    ("405", "the route has no such method"),
    ("408", "the body did not arrive in time"),
    ("409", "not possible in the present state; see `code`"),
    ("410", "expired, used or revoked"),
    ("413", "over a named limit"),
    ("429", "too many requests"),
    ("503", "not possible right now; see Retry-After"),
];

/// The prefix of the identifiers for each name in a path; other names are no identifiers.
const ID_PREFIXES: &[(&str, &str)] = &[
    ("event", "evt"),
    ("hold", "hold"),
    ("order", "ord"),
    ("key", "key"),
    ("ticket_type", "tt"),
    ("device", "dev"),
    ("layout", "lay"),
];

/// Adds errors as problem+json, the shape of identifiers in paths, and the credentials of each route's row.
pub fn complete(document: &mut utoipa::openapi::OpenApi, specs: &[RouteSpec]) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("PATCH", &mut item.patch),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            add_errors(operation);
            add_patterns(operation);
            let access = specs.iter().find(|spec| spec.method == method && spec.path == *path).map(|spec| spec.access);
            operation.security = access.and_then(security_of);
        }
    }
    add_schemes(document);
}

/// The credentials that a route takes, each alone sufficient; none where it takes no credential.
fn security_of(access: Access) -> Option<Vec<SecurityRequirement>> {
    let schemes: &[&str] = match access {
        Access::Organizer(_) | Access::AnyOrganizer => &["organizer", "login"],
        Access::Device => &["device"],
        Access::Operator => &["operator"],
        Access::Token => &["token", "token_query"],
        Access::TokenOrOrganizer => &["token", "token_query", "organizer", "login"],
        // A provider signs its body, and every buyer gets a session.
        Access::Anyone | Access::Buyer | Access::TokenInBody | Access::Provider => return None,
    };
    Some(schemes.iter().map(|scheme| SecurityRequirement::new(*scheme, Vec::<String>::new())).collect())
}

fn add_schemes(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    for (name, description) in [
        ("organizer", "an API key, `vgk_…`"),
        ("device", "a paired device's key, `vgd_…`"),
        ("operator", "the operator's key"),
    ] {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        components.add_security_scheme(name, SecurityScheme::Http(bearer));
    }
    let login =
        ApiKeyValue::with_description(LOGIN_COOKIE.plain, "the console's login; writes send `X-CSRF-Token` too");
    components.add_security_scheme("login", SecurityScheme::ApiKey(ApiKey::Cookie(login)));
    let token = "the token of the hold or the order";
    let header = ApiKeyValue::with_description("X-Token", token);
    components.add_security_scheme("token", SecurityScheme::ApiKey(ApiKey::Header(header)));
    let query = ApiKeyValue::with_description("token", token);
    components.add_security_scheme("token_query", SecurityScheme::ApiKey(ApiKey::Query(query)));
}

fn add_patterns(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        let prefix = ID_PREFIXES.iter().find(|(name, _)| *name == parameter.name);
        if let (ParameterIn::Path, Some((_, prefix)), Some(RefOr::T(Schema::Object(schema)))) =
            (&parameter.parameter_in, prefix, &mut parameter.schema)
        {
            schema.pattern = Some(format!("^{prefix}_[0-9a-f]{{32}}$"));
        }
    }
}

fn add_errors(operation: &mut Operation) {
    let problem = || Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    for (status, description) in COMMON_ERRORS {
        let responses = &mut operation.responses.responses;
        // The macro describes errors as plain JSON, but they are sent as problem+json.
        let description = match responses.get(*status) {
            Some(RefOr::T(known)) if !known.description.is_empty() => known.description.clone(),
            _ => (*description).to_owned(),
        };
        let response = ResponseBuilder::new().description(description).content("application/problem+json", problem());
        responses.insert((*status).to_owned(), RefOr::T(response.build()));
    }
}
