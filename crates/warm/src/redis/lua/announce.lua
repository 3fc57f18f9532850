-- Notes that an act asks cold about tickets, and answers what is kept of them, the oldest first. ARGV: 5 the act (sixteen bytes), 6 the tickets
-- (sixteen bytes each), 7 how many kept scans at most.
if not loaded() then return UNLOADED end
local act, most, found = ARGV[5], tonumber(ARGV[7]), {}
for at = 1, #ARGV[6], 16 do
  local ticket = ARGV[6]:sub(at, at + 15)
  call('HSET', ASKED, ticket, without(call('HGET', ASKED, ticket) or '', act) .. act)
  local of = call('HGET', base .. 'kept_of', ticket) or ''
  for from = 1, #of, 16 do
    if #found < most then found[#found + 1] = kept_scan(of:sub(from, from + 15)) end
  end
end
return { 0, epoch, seq, found }
