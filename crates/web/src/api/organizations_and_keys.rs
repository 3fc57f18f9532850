//! Creates organizations, and creates, lists and revokes API keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use voelgoed_app::accounts::Accounts;
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::create_api_key::NewApiKey;
use voelgoed_app::accounts::create_organization::NewOrganization;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::accounts::ports::ApiKey;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::idempotent_response::{created_response, idempotent};
use super::paging::{ListDto, ListParams};
use crate::extract::{JsonBody, Operator, OptionalKey, Organizer, PathId, QueryParams};
use crate::json_bytes::json;
use crate::problem::{HandlerResult, Problem};
use crate::routes::{Access, Class, Route, api};

/// The routes of this file.
pub fn routes() -> Vec<Route> {
    vec![
        api(routes!(create_api_key), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(list_api_keys), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(revoke_api_key), Access::Organizer(Scope::Admin), Accounts::NAME),
        api(routes!(create_organization), Access::Operator, Accounts::NAME).class(Class::Health).internal(),
    ]
}

/// The operator, as audit lines and idempotency records name them.
const OPERATOR: &str = "operator";

/// A tenant to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationBody {
    name: String,
    /// The name in URLs: lower-case letters, digits, hyphens.
    slug: String,
}

/// A tenant with its first key.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationDto {
    #[schema(value_type = String)]
    id: OrganizationId,
    name: String,
    slug: String,
    /// A key with every scope, shown once.
    api_key: String,
}

/// Creates a tenant with its first key (operator; served by the internal listener only).
#[utoipa::path(post, path = "/api/v1/organizations", request_body = OrganizationBody, tag = "accounts",
    responses((status = 201, body = OrganizationDto), (status = 401, body = Problem), (status = 409, body = Problem)))]
pub async fn create_organization(
    State(accounts): State<Arc<Accounts>>,
    _operator: Operator,
    key: OptionalKey,
    body: JsonBody<OrganizationBody>,
) -> HandlerResult<Response> {
    let show = |new: &NewOrganization| {
        let NewOrganization { organization, first_key } = new;
        json(&OrganizationDto {
            id: organization.id,
            name: organization.name.clone(),
            slug: organization.slug.clone(),
            api_key: first_key.secret.clone(),
        })
    };
    let repeat = idempotent(key.of(OPERATOR, body.digest), &show);
    let command = accounts.create_organization(&body.value.name, &body.value.slug, repeat);
    let outcome = audited(&*accounts.context.environment, OPERATOR, "organization.create", "", command).await?;
    Ok(created_response(outcome, show))
}

/// A key to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyBody {
    name: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
}

/// A key; its secret is shown once, when it is created.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeyDto {
    #[schema(value_type = String)]
    id: ApiKeyId,
    name: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// `vgk_…`
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

fn api_key(found: &ApiKey, secret: Option<String>) -> ApiKeyDto {
    ApiKeyDto {
        id: found.id,
        name: found.name.clone(),
        scopes: found.scopes.clone(),
        created_at: found.created_at,
        revoked_at: found.revoked_at,
        secret,
    }
}

/// Creates a key; a caller grants no scope that it has not.
#[utoipa::path(post, path = "/api/v1/api-keys", request_body = ApiKeyBody, tag = "accounts",
    responses((status = 201, body = ApiKeyDto), (status = 403, body = Problem)))]
pub async fn create_api_key(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    key: OptionalKey,
    body: JsonBody<ApiKeyBody>,
) -> HandlerResult<Response> {
    let show = |new: &NewApiKey| json(&api_key(&new.key, Some(new.secret.clone())));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let ApiKeyBody { name, scopes } = body.value;
    let command = accounts.create_api_key(caller.granter(), &name, scopes, repeat);
    let outcome = caller.act("api_key.create", "", command).await;
    let outcome = caller.outcome_or_replay(key.as_ref(), outcome).await?;
    Ok(created_response(outcome, show))
}

/// The keys, without their secrets.
#[utoipa::path(get, path = "/api/v1/api-keys", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<ApiKeyDto>), (status = 403, body = Problem)))]
pub async fn list_api_keys(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    QueryParams(params): QueryParams<ListParams>,
) -> HandlerResult<Json<ListDto<ApiKeyDto>>> {
    let found = accounts.store.api_keys(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| api_key(&found, None))))
}

/// Revokes a key; the last one that administers the organization cannot revoke itself.
#[utoipa::path(delete, path = "/api/v1/api-keys/{key}", params(("key" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "last_administrator")))]
pub async fn revoke_api_key(
    State(accounts): State<Arc<Accounts>>,
    caller: Organizer,
    PathId(key): PathId<ApiKeyId>,
) -> HandlerResult<StatusCode> {
    let (now, by_itself) = (accounts.context.now(), caller.actor == key.to_string());
    let command = accounts.store.revoke_api_key(caller.organization, key, by_itself, now);
    caller.act("api_key.revoke", key, command).await??;
    accounts.credentials.revoke(caller.organization, &RevokedCredential::ApiKey(key));
    Ok(StatusCode::NO_CONTENT)
}
