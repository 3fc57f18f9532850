-- Returns offline scans with their ids, oldest first, deferred ones last. ARGV: 5 ticket (empty: all), 6 maximum of scans, 7 scan of the event behind
-- which they begin (empty or no longer stored: from the oldest).
if not loaded() then return UNLOADED end
local limit, scans = tonumber(ARGV[6]), {}
if ARGV[5] == '' then
  local cursor = ARGV[7] ~= '' and call('ZRANK', base .. 'kept_at', ARGV[7])
  local first = cursor and cursor + 1 or 0
  scans = call('ZRANGE', base .. 'kept_at', first, first + limit - 1)
else
  local packed_scans = call('HGET', base .. 'kept_of', ARGV[5]) or ''
  for at = 1, math.min(#packed_scans, limit * 16), 16 do scans[#scans + 1] = packed_scans:sub(at, at + 15) end
end
local found = {}
for at, scan in ipairs(scans) do found[at] = { scan, offline_scan_reply(scan) } end
return { 0, epoch, seq, found }
