-- Appends the counts of a node to the event's stream, which expires when no node appends.
-- ARGV: 1 run id and 2 time (unused), 3 minute, 4 to 6 counts, 7 maximum of entries, 8 expiry of the stream in milliseconds.

local stream = base .. 'counts'
call('XADD', stream, 'MAXLEN', ARGV[7], '*', 'minute', ARGV[3], 'viewed', ARGV[4], 'held', ARGV[5], 'refused', ARGV[6])
call('PEXPIRE', stream, ARGV[8])
return 1
