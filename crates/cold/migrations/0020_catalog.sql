-- Venues, versions of their layouts, events, ticket types, price rules.

create table venues (
    organization_id {uuid} not null references organizations (id),
    id {uuid} not null,
    name text not null,
    address text not null,
    primary key (organization_id, id)
);

create table layouts (
    organization_id {uuid} not null,
    id {uuid} not null,
    venue_id {uuid} not null,
    version bigint not null,
    -- JSON with its version; never changed, so that a place number means the same seat for ever.
    plan {json} not null,
    created_at bigint not null,
    primary key (organization_id, id),
    unique (organization_id, venue_id, version),
    foreign key (organization_id, venue_id) references venues (organization_id, id)
);

create table events (
    organization_id {uuid} not null,
    id {uuid} not null unique,
    name text not null,
    layout_id {uuid} not null,
    starts_at bigint not null,
    timezone text not null,
    opens_at bigint not null,
    closes_at bigint not null,
    currency text not null,
    state text not null check (state in ('draft', 'published', 'paused', 'closed')),
    fee_per_ticket bigint not null,
    fee_basis_points bigint not null,
    tax_basis_points bigint not null,
    tax_included boolean not null,
    places_per_hold bigint not null,
    places_per_session bigint not null,
    -- + 1 with every change of the listing: orders its facts in the outbox.
    listing_version bigint not null,
    created_at bigint not null,
    primary key (organization_id, id),
    foreign key (organization_id, layout_id) references layouts (organization_id, id)
);
create index events_seen_by_all on events (id) where state <> 'draft';

create table ticket_types (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    name text not null,
    price bigint not null,
    currency text not null,
    -- Areas, categories and special prices: JSON with its version.
    terms {json} not null,
    min_per_hold bigint not null,
    max_per_hold bigint not null,
    created_at bigint not null,
    retired_at bigint,
    primary key (organization_id, id),
    foreign key (organization_id, event_id) references events (organization_id, id)
);
create index ticket_types_of_event on ticket_types (organization_id, event_id, id);

create table price_rules (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    code text,
    -- The code in lower case: codes are compared without case.
    code_folded text,
    ticket_types {json} not null,
    effect text not null check (effect in ('basis_points_off', 'amount_off', 'price')),
    effect_amount bigint not null,
    starts_at bigint,
    ends_at bigint,
    created_at bigint not null,
    primary key (organization_id, id),
    foreign key (organization_id, event_id) references events (organization_id, id)
);
create unique index price_rules_code on price_rules (organization_id, event_id, code_folded) where code_folded is not null;
create index price_rules_of_event on price_rules (organization_id, event_id, id);
