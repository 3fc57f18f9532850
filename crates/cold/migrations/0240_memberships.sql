-- A person may be a member of several organizations under one address, so an address is unique within one only. Members can be disabled. A login has
-- an identifier, so that it can be listed and ended; its CSRF token is derived from the cookie and no longer kept.
-- All logins end here, and stored answers go: they held API keys, pairing codes and tokens in plain.
-- Programs before this step cannot add members on this schema; everything else of them goes on.

delete from idempotency;

create table members_new (
    organization_id {uuid} not null references organizations (id),
    id {uuid} not null,
    name text not null,
    -- Lower case.
    email text not null,
    password_hash text not null,
    scopes {json} not null,
    created_at bigint not null,
    disabled_at bigint,
    primary key (organization_id, id)
);
insert into members_new (organization_id, id, name, email, password_hash, scopes, created_at)
select organization_id, id, name, email, password_hash, scopes, created_at from members;
drop table console_sessions;
drop table members;
alter table members_new rename to members;
create unique index members_by_email on members (organization_id, email);
-- The address finds all memberships of a person at login.
create index memberships_by_email on members (email);

create table console_sessions (
    organization_id {uuid} not null,
    token {bytes} not null unique,
    member_id {uuid} not null,
    -- Absent where a program before this step wrote the login.
    id {uuid},
    csrf text not null default '',
    created_at bigint not null default 0,
    expires_at bigint not null,
    primary key (organization_id, token),
    foreign key (organization_id, member_id) references members (organization_id, id)
);
create index console_sessions_of_member on console_sessions (organization_id, member_id, expires_at);
create index console_sessions_by_end on console_sessions (expires_at);

{secured:members directory}
{secured:console_sessions directory retention}
