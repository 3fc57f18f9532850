-- Organizations, members, console sessions, API keys, audit log. Times are microseconds since 1970; secrets are SHA-256 or argon2, never themselves.

create table organizations (
    id {uuid} not null primary key,
    name text not null,
    slug text not null unique,
    created_at bigint not null
);

create table members (
    organization_id {uuid} not null references organizations (id),
    id {uuid} not null,
    name text not null,
    -- Lower case; it names the tenant at login, so it is unique over all of them.
    email text not null unique,
    password_hash text not null,
    scopes {json} not null,
    created_at bigint not null,
    primary key (organization_id, id)
);

create table console_sessions (
    organization_id {uuid} not null,
    token {bytes} not null unique,
    member_id {uuid} not null,
    csrf text not null,
    expires_at bigint not null,
    primary key (organization_id, token),
    foreign key (organization_id, member_id) references members (organization_id, id)
);
create index console_sessions_of_member on console_sessions (organization_id, member_id, expires_at);

create table api_keys (
    organization_id {uuid} not null references organizations (id),
    id {uuid} not null,
    name text not null,
    secret {bytes} not null unique,
    scopes {json} not null,
    created_at bigint not null,
    revoked_at bigint,
    primary key (organization_id, id)
);

create table audit_lines (
    organization_id {uuid} not null references organizations (id),
    id {uuid} not null,
    actor text not null,
    action text not null,
    subject text not null,
    at bigint not null,
    primary key (organization_id, id)
);
