//! Organizations, members and API keys.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use voelgoed_app::accounts::audit::audit;
use voelgoed_app::accounts::create_api_key::{NewApiKey, create_api_key as create_key_command};
use voelgoed_app::accounts::create_member::{NewMember, create_member as create_member_command};
use voelgoed_app::accounts::create_organization::create_organization as create_organization_command;
use voelgoed_app::accounts::credentials::RevokedCredential;
use voelgoed_app::accounts::ports::{ApiKey, Member};
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::ids::{ApiKeyId, MemberId, OrganizationId};
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::time::Timestamp;

use super::created::{created, idempotent};
use super::paging::{ListDto, ListParams};
use crate::extract::{Body, Operator, OptionalKey, Organizer, Params, PathId};
use crate::problem::{Answer, Problem};
use crate::rendered::json;
use crate::state::Web;

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
    body: Body<OrganizationBody>,
) -> Answer<Response> {
    let made = create_organization_command(&web.platform, &body.value.name, &body.value.slug).await?;
    let key = create_key_command(&web.platform, made.id, "first key", Scope::ALL.to_vec(), None).await?;
    audit(&web.platform, made.id, "operator", "organization.create", made.id).await;
    let secret = match key {
        voelgoed_app::idempotency::Created::Fresh(key) => key.secret,
        voelgoed_app::idempotency::Created::Replayed(_) => String::new(),
    };
    let dto = OrganizationDto { id: made.id, name: made.name, slug: made.slug, api_key: secret };
    Ok((StatusCode::CREATED, Json(dto)).into_response())
}

/// A person to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberBody {
    name: String,
    email: String,
    /// At least 12 characters.
    password: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
}

/// A person who works for the organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberDto {
    #[schema(value_type = String)]
    id: MemberId,
    name: String,
    email: String,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn member(found: &Member) -> MemberDto {
    MemberDto {
        id: found.id,
        name: found.name.clone(),
        email: found.email.clone(),
        scopes: found.scopes.clone(),
        created_at: found.created_at,
    }
}

/// Adds a person who may log in to the console.
#[utoipa::path(post, path = "/api/v1/members", request_body = MemberBody, tag = "accounts",
    responses((status = 201, body = MemberDto), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub async fn create_member(
    State(web): State<Web>,
    caller: Organizer,
    key: OptionalKey,
    body: Body<MemberBody>,
) -> Answer<Response> {
    caller.may(Scope::Admin)?;
    let show = |found: &Member| json(&member(found));
    let MemberBody { name, email, password, scopes } = body.value;
    let new = NewMember { name, email, password, scopes };
    let repeat = idempotent(key.of(&caller.actor, body.digest), &show);
    let outcome = create_member_command(&web.platform, caller.organization, new, repeat).await?;
    audit(&web.platform, caller.organization, &caller.actor, "member.create", "").await;
    Ok(created(outcome, show))
}

/// The members.
#[utoipa::path(get, path = "/api/v1/members", params(ListParams), tag = "accounts",
    responses((status = 200, body = ListDto<MemberDto>), (status = 403, body = Problem)))]
pub async fn list_members(
    State(web): State<Web>,
    caller: Organizer,
    Params(params): Params<ListParams>,
) -> Answer<Json<ListDto<MemberDto>>> {
    caller.may(Scope::Admin)?;
    let found = web.platform.accounts.members(caller.organization, params.page()?).await?;
    Ok(Json(ListDto::of(found, |found| member(&found))))
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
    for scope in &body.value.scopes {
        caller.may(*scope)?;
    }
    let show = |new: &NewApiKey| json(&api_key(&new.key, Some(new.secret.clone())));
    let repeat = idempotent(key.of(&caller.actor, body.digest), &show);
    let outcome =
        create_key_command(&web.platform, caller.organization, &body.value.name, body.value.scopes, repeat).await?;
    audit(&web.platform, caller.organization, &caller.actor, "api_key.create", "").await;
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

/// Revokes a key.
#[utoipa::path(delete, path = "/api/v1/api-keys/{key}", params(("key" = String, Path)), tag = "accounts",
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke_api_key(
    State(web): State<Web>,
    caller: Organizer,
    PathId(key): PathId<ApiKeyId>,
) -> Answer<StatusCode> {
    caller.may(Scope::Admin)?;
    if !web.platform.accounts.revoke_api_key(caller.organization, key, web.platform.environment.now()).await? {
        return Err(Refusal::not_found().into());
    }
    web.platform.credentials.revoked(caller.organization, &RevokedCredential::ApiKey(key));
    audit(&web.platform, caller.organization, &caller.actor, "api_key.revoke", key).await;
    Ok(StatusCode::NO_CONTENT)
}
