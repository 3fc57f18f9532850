-- One row, written to see whether this store writes (and flushes) at all, while it is looked at as away.

create table pulse (
    id bigint not null primary key,
    at bigint not null
);
