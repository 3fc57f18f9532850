-- Every reading of a ticket, under the identifier that its device gave it.
create table scans (
    organization_id {uuid} not null,
    id {uuid} not null,
    event_id {uuid} not null,
    ticket_id {uuid},
    label text,
    ticket_type_name text,
    gate_id {uuid} not null,
    device_id {uuid} not null,
    direction text not null,
    -- None where it admitted.
    refused text,
    -- The entry that came before, where that is why it was refused or is in conflict.
    first_gate_id {uuid},
    first_at bigint,
    scanned_at bigint not null,
    received_at bigint not null,
    forced boolean not null,
    -- What spoke against it, where the device had let the person through already.
    conflict text,
    primary key (organization_id, id)
) {clustered};
create index scans_of_event on scans (organization_id, event_id, id);
create index scans_in_conflict on scans (organization_id, event_id, id) where conflict is not null;

-- Admissions: a ticket's first is its number 1 (P6).
create table entries (
    organization_id {uuid} not null,
    ticket_id {uuid} not null,
    entry_no bigint not null,
    scan_id {uuid} not null,
    gate_id {uuid} not null,
    at bigint not null,
    left_at bigint,
    primary key (organization_id, ticket_id, entry_no)
) {clustered};
