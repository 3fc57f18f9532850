-- What an organization may have at most is counted when it makes something; see `quotas.rs`.

-- How many places a seating plan has; 0 for plans that were written before this step, which are not counted.
alter table layouts add column places bigint not null default 0;

-- Locked while something of the organization is counted, so that two requests cannot both take the last one.
create table quota_locks (
    organization_id {uuid} not null primary key references organizations (id)
);
{secured:quota_locks}
