-- Decides a scan by the gate filter and stores it for cold; the same id returns the same result.
-- ARGV: 5 scan, 6 ticket (sixteen bytes each), 7 whether the scan is an entry (1), 8 whether it was forced (1), 9 to 11 the refusal (empty: none) of an
-- unseen, admitted or revoked ticket, 12 scan as text, 13 first entry as text, 14 time of receipt, 15 maximum of stored scans, 16 whether the admission
-- would rely on the ticket being unseen (1).
if not loaded() then return UNLOADED end
local SCANS, SCAN_TIMES, SCANS_OF_TICKET, ADMISSIONS = base .. 'kept', base .. 'kept_at', base .. 'kept_of', base .. 'let_in'
local scan, ticket = ARGV[5], ARGV[6]
if call('HEXISTS', SCANS, scan) == 1 then return { 0, epoch, seq, offline_scan_reply(scan) } end
if call('HLEN', SCANS) >= tonumber(ARGV[15]) then return { 2, epoch, seq, 'offline', '' } end
local prior = call('HGET', ADMISSIONS, ticket)
local refusal, is_known = ARGV[9], false
if call('SISMEMBER', base .. 'revoked', ticket) == 1 then refusal, is_known = ARGV[11], true
elseif prior or call('SISMEMBER', base .. 'admitted', ticket) == 1 then refusal, is_known = ARGV[10], true end
if not is_known and ARGV[16] == '1' and list_without(call('HGET', INTENTS, ticket) or '', scan) ~= '' then
  return { 2, epoch, seq, 'offline', 'asked' }
end
if refusal == '' and ARGV[7] == '1' then
  call('SADD', base .. 'admitted', ticket)
  call('HSETNX', ADMISSIONS, ticket, scan .. ARGV[13])
end
local first = prior and (refusal ~= '' or ARGV[8] == '1') and prior:sub(17) or ''
local stored = refusal .. '\n' .. first .. '\n' .. ARGV[12]
call('HSET', SCANS, scan, ticket .. stored)
call('ZADD', SCAN_TIMES, ARGV[14], scan)
call('HSET', SCANS_OF_TICKET, ticket, (call('HGET', SCANS_OF_TICKET, ticket) or '') .. scan)
return { 0, epoch, seq, offline_scan_reply(scan) }
