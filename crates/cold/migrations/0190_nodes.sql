-- The nodes that run on this database, each with the end of its lease.

create table nodes (
    id {uuid} not null primary key,
    role text not null,
    address text not null,
    version text not null,
    started_at bigint not null,
    lives_until bigint not null
) {clustered};
