-- A node reads only rows of the formats that it knows, and parks a row that it cannot decode instead of failing the whole batch.

-- The reader's format that a row needs. Programs from before this column write and read format 1.
alter table outbox add column format bigint not null default 1;
-- The due time of rows above format 1. Their `due_at` lies beyond every clock, so that programs from before this column leave them alone.
alter table outbox add column format_due_at bigint;
-- When a reader first failed to decode the row, how often, and why.
alter table outbox add column parked_at bigint;
alter table outbox add column parked_count bigint not null default 0;
alter table outbox add column parked_reason text;

-- When a runner first failed to read the job's payload.
alter table jobs add column parked_at bigint;
