-- How often the flags of a layout's seats were set: they are the only part of a stored plan that changes. A program that does not know of it goes on
-- with the flags that it has read.
alter table layouts add column flags_version bigint not null default 0;
create index events_of_layout on events (organization_id, layout_id);
