-- Gates and the devices that scan at them.

create table gates (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    name text not null,
    -- The areas it leads to; empty means all.
    areas {json} not null,
    primary key (organization_id, id),
    foreign key (organization_id, event_id) references events (organization_id, id)
);
create index gates_of_event on gates (organization_id, event_id, id);

create table devices (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    name text not null,
    gates {json} not null,
    -- SHA-256 of the one-time code; gone once it is used.
    pairing {bytes} unique,
    pairing_ends bigint not null,
    -- SHA-256 of the device's key, once paired.
    secret {bytes} unique,
    paired_at bigint,
    revoked_at bigint,
    primary key (organization_id, id),
    foreign key (organization_id, event_id) references events (organization_id, id)
);
create index devices_of_event on devices (organization_id, event_id, id);
