-- Row security, where the engine knows it: a transaction sees the rows of the organization that it is for, and a system role those of the tables
-- that its work needs. A second lock beside every statement's own `where` (P7). A new table with an organization brings such a line of its own.
{secured:organizations(id) directory}
{secured:members directory}
{secured:console_sessions directory}
{secured:api_keys directory}
{secured:audit_lines}
{secured:venues shop}
{secured:layouts shop}
{secured:events shop directory}
{secured:ticket_types}
{secured:price_rules}
{secured:journal_entries audit}
{secured:journal_postings audit}
{secured:gates}
{secured:devices directory}
{secured:jobs jobs}
{secured:outbox relay}
{secured:idempotency retention}
{secured:places}
{secured:epochs}
{secured:blocks}
{secured:orders reconciler}
{secured:order_lines}
{secured:payment_attempts reconciler}
{secured:refunds}
{secured:tickets}
{secured:scans}
{secured:entries}

-- The newest step that a program must know to work on this schema. A step that takes something away raises it; one that only adds does not.
create table schema_floor (
    step bigint not null
);
insert into schema_floor (step) values (0);
