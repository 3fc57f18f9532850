-- Answers of creating requests, to be replayed where the request is repeated.

create table idempotency (
    organization_id {uuid} not null,
    scope text not null,
    key text not null,
    request {bytes} not null,
    answer {bytes} not null,
    at bigint not null,
    primary key (organization_id, scope, key)
);
create index idempotency_by_age on idempotency (at);
