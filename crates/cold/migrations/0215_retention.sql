-- What is over is found by its age, and deleted by one system role.

create index audit_lines_by_age on audit_lines (at);
create index scans_by_age on scans (received_at);
create index console_sessions_by_end on console_sessions (expires_at);
{shown:audit_lines retention}
{shown:scans retention}
{shown:console_sessions directory retention}
