-- Cold has answered an act: its note goes, and the filter knows the tickets. ARGV: 5 the act (sixteen bytes), 6 the tickets (sixteen bytes each),
-- 7 the set that they are now in (empty: none).
if not loaded() then return UNLOADED end
for at = 1, #ARGV[6], 16 do
  local ticket = ARGV[6]:sub(at, at + 15)
  if ARGV[7] == '' then forget_act(ticket, ARGV[5]) else know(ARGV[7], ticket) end
end
return { 0, epoch, seq, 0 }
