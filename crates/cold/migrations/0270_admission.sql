-- Doors, end and admission of events and ticket types; none means the default. Tickets of earlier events admitted until seven days after the start.
alter table events add column doors_at bigint;
alter table events add column ends_at bigint;
alter table events add column admits_from bigint;
alter table events add column admits_until bigint;
update events set admits_until = starts_at + 604800000000;

alter table ticket_types add column doors_at bigint;
alter table ticket_types add column ends_at bigint;
alter table ticket_types add column admits_from bigint;
alter table ticket_types add column admits_until bigint;

-- Whether the device's clock was believed, and the window that a scan was outside of.
alter table scans add column clock text not null default 'plausible' check (clock in ('plausible', 'implausible'));
alter table scans add column admits_from bigint;
alter table scans add column admits_until bigint;
