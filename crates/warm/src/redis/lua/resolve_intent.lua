-- Ends an intent after cold has decided, and adds the tickets to the gate filter. ARGV: 5 intent (sixteen bytes), 6 tickets (sixteen bytes each),
-- 7 set of the tickets (empty: none).
if not loaded() then return UNLOADED end
for at = 1, #ARGV[6], 16 do
  local ticket = ARGV[6]:sub(at, at + 15)
  if ARGV[7] == '' then end_intent(ticket, ARGV[5]) else add_to_filter(ARGV[7], ticket) end
end
return { 0, epoch, seq, 0 }
