-- Records the intent to ask cold about tickets, and returns the offline scans of these tickets, oldest first. ARGV: 5 intent (sixteen bytes),
-- 6 tickets (sixteen bytes each), 7 maximum of returned scans.
if not loaded() then return UNLOADED end
local intent, limit, found = ARGV[5], tonumber(ARGV[7]), {}
for at = 1, #ARGV[6], 16 do
  local ticket = ARGV[6]:sub(at, at + 15)
  call('HSET', INTENTS, ticket, list_without(call('HGET', INTENTS, ticket) or '', intent) .. intent)
  local scans = call('HGET', base .. 'kept_of', ticket) or ''
  for from = 1, #scans, 16 do
    if #found < limit then found[#found + 1] = offline_scan_reply(scans:sub(from, from + 15)) end
  end
end
return { 0, epoch, seq, found }
