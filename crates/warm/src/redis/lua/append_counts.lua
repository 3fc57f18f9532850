-- Appends what a node counted to the event's stream, which ends by itself when nothing is added for long.
-- KEYS[1] is the event's prefix. ARGV: 1 the run id and 2 the moment (every call has them; nothing here depends on them), 3 the minute,
-- 4 to 6 the counts, 7 most entries, 8 how long the stream lasts, in milliseconds.

local stream = base .. 'counts'
call('XADD', stream, 'MAXLEN', ARGV[7], '*', 'minute', ARGV[3], 'viewed', ARGV[4], 'held', ARGV[5], 'refused', ARGV[6])
call('PEXPIRE', stream, ARGV[8])
return 1
