//! Organizations and API keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::create_api_key::{NewApiKey, create_api_key as create_key_command};
use voelgoed_app::accounts::create_organization::{
    NewOrganization, create_organization as create_organization_command,
};
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::accounts::ports::ApiKey;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, OrganizationId};
use voelgoed_domain::time::Timestamp;

use super::created::{created, idempotent, or_replayed};
use super::paging::{ListDto, ListParams};
use crate::extract::{Body, Operator, OptionalKey, Organizer, Params, PathId};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

/// The operator, as audit lines and idempotency records name them.
const OPERATOR: &str = "operator";

/// A tenant to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationBody {
    name: String,
    /// Its name in URLs: lower-case letters, digits, hyphens.
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

/// Makes a tenant with its first key (operator; served by the internal listener only).
#[utoipa::path(post, path = "/api/v1/organizations", request_body = OrganizationBody, tag = "accounts",
    responses((status = 201, body = OrganizationDto), (status = 401, body = Problem), (status = 409, body = Problem)))]
pub async fn create_organization(
    State(web): State<Web>,
    _operator: Operator,
    key: OptionalKey,
    body: Body<OrganizationBody>,
) -> Answer<Response> {
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
    let command = create_organization_command(&web.platform, &body.value.name, &body.value.slug, repeat);
    let outcome = audited(&*web.platform.environment, OPERATOR, "organization.create", "", command).await?;
    Ok(created(outcome, show))
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyBody {
    name: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
}

/// A key; its secret is shown once, when it is made.
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

/// Makes a key; nobody gives more than they have.
#[utoipa::path(post, path = "/api/v1/api-keys", request_body = ApiKeyBody, tag = "accounts",
    responses((status = 201, body = ApiKeyDto), (status = 403, body = Problem)))]
pub async fn create_api_key(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<ApiKeyBody>,
) -> Answer<Response> {
    caller.may(Scope::Admin)?;
    let show = |new: &NewApiKey| json(&api_key(&new.key, Some(new.secret.clone())));
    let key = key.of(&caller.actor, body.digest);
    let repeat = idempotent(key.clone(), &show);
    let ApiKeyBody { name, scopes } = body.value;
    let command = create_key_command(&web.platform, caller.granter(), &name, scopes, repeat);
    let outcome = caller.act(&web, "api_key.create", "", command).await;
    let outcome = or_replayed(&web, caller.organization, key.as_ref(), outcome).await?;
    Ok(created(outcome, show))
}

/// The keys, without their secrets.
#[utoipa::path(get, path = "/api/v1/api-keys", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<ApiKeyDto>), (status = 403, body = Problem)))]
pub async fn list_api_keys(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<ApiKeyDto>>> {
    caller.may(Scope::Admin)?;
    let found = web.platform.accounts.api_keys(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| api_key(&found, None))))
}

/// Revokes a key; the last one that administers the organization cannot revoke itself.
#[utoipa::path(delete, path = "/api/v1/api-keys/{key}", params(("key" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "last_administrator")))]
pub async fn revoke_api_key(
    State(web): State<Web>,
    caller: Organizer,
    PathId(key): PathId<ApiKeyId>,
) -> Answer<StatusCode> {
    caller.may(Scope::Admin)?;
    let (now, by_itself) = (web.platform.environment.now(), caller.actor == key.to_string());
    let command = web.platform.accounts.revoke_api_key(caller.organization, key, by_itself, now);
    caller.act(&web, "api_key.revoke", key, command).await??;
    web.platform.credentials.revoked(caller.organization, &RevokedCredential::ApiKey(key));
    Ok(StatusCode::NO_CONTENT)
}
