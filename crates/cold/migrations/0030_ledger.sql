-- The journal: append-only entries whose postings sum to zero (P5). What was wrong is reversed by another entry, never edited.

create table journal_entries (
    organization_id {uuid} not null,
    id {uuid} not null,
    kind text not null,
    event_id {uuid} not null,
    order_id {uuid} not null,
    currency text not null,
    at bigint not null,
    primary key (organization_id, id)
) {clustered};
create index journal_entries_of_order on journal_entries (organization_id, order_id, id);

create table journal_postings (
    organization_id {uuid} not null,
    entry_id {uuid} not null,
    -- 0, 1, … within the entry.
    line bigint not null,
    account text not null,
    -- The entry's, repeated so that balances need one table.
    currency text not null,
    -- Minor units; debits positive.
    amount bigint not null,
    primary key (organization_id, entry_id, line)
) {clustered};
create index journal_postings_of_account on journal_postings (organization_id, account, currency);
