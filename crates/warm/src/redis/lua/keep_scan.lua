-- Decides a scan by the gate's filter and keeps it for cold; the same id answers the same. ARGV: 5 the scan, 6 its ticket (sixteen bytes each),
-- 7 whether it lets in (1: an entry), 8 whether it was forced, 9 to 11 its refusal (empty: none) for a ticket that is unseen, admitted, revoked,
-- 12 the scan's text, 13 the text of the entry that it would be, 14 when it was received, 15 the most that are kept, 16 whether it would be let in
-- on nothing but an unseen ticket (1: it would).
if not loaded() then return UNLOADED end
local KEPT, KEPT_AT, KEPT_OF, LET_IN = base .. 'kept', base .. 'kept_at', base .. 'kept_of', base .. 'let_in'
local scan, ticket = ARGV[5], ARGV[6]
if call('HEXISTS', KEPT, scan) == 1 then return { 0, epoch, seq, kept_scan(scan) } end
if call('HLEN', KEPT) >= tonumber(ARGV[15]) then return { 2, epoch, seq, 'offline', '' } end
local prior = call('HGET', LET_IN, ticket)
local refusal, seen = ARGV[9], false
if call('SISMEMBER', base .. 'revoked', ticket) == 1 then refusal, seen = ARGV[11], true
elseif prior or call('SISMEMBER', base .. 'admitted', ticket) == 1 then refusal, seen = ARGV[10], true end
if not seen and ARGV[16] == '1' and without(call('HGET', ASKED, ticket) or '', scan) ~= '' then
  return { 2, epoch, seq, 'offline', 'asked' }
end
if refusal == '' and ARGV[7] == '1' then
  call('SADD', base .. 'admitted', ticket)
  call('HSETNX', LET_IN, ticket, scan .. ARGV[13])
end
local first = prior and (refusal ~= '' or ARGV[8] == '1') and prior:sub(17) or ''
local kept = refusal .. '\n' .. first .. '\n' .. ARGV[12]
call('HSET', KEPT, scan, ticket .. kept)
call('ZADD', KEPT_AT, ARGV[14], scan)
call('HSET', KEPT_OF, ticket, (call('HGET', KEPT_OF, ticket) or '') .. scan)
return { 0, epoch, seq, kept_scan(scan) }
