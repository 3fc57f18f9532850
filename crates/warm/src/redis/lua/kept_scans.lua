-- The scans that wait for cold with their identifiers, the oldest first, those that were parked last. ARGV: 5 a ticket (empty: of all), 6 how many at most.
if not loaded() then return UNLOADED end
local most, scans = tonumber(ARGV[6]), {}
if ARGV[5] == '' then scans = call('ZRANGE', base .. 'kept_at', 0, most - 1)
else
  local of = call('HGET', base .. 'kept_of', ARGV[5]) or ''
  for at = 1, math.min(#of, most * 16), 16 do scans[#scans + 1] = of:sub(at, at + 15) end
end
local found = {}
for at, scan in ipairs(scans) do found[at] = { scan, kept_scan(scan) } end
return { 0, epoch, seq, found }
