-- The steps after a position, or everything where one of them is not kept. ARGV: 5 and 6 the position.
if not loaded() then return UNLOADED end
local since_epoch, since_seq = tonumber(ARGV[5]), tonumber(ARGV[6])
if since_epoch == epoch and since_seq <= seq then
  local steps, told = {}, {}
  if since_seq < seq then steps = call('XRANGE', LOG, '(' .. text(epoch) .. '-' .. text(since_seq), '+') end
  if since_seq + #steps == seq then
    for at, step in ipairs(steps) do told[at] = step[2][2] end
    return { 0, epoch, seq, { 1, since_seq, told } }
  end
end
return { 0, epoch, seq, { 0, length, areas, call('GET', TAKEN), call('GET', SOLD), call('GET', BLOCKED) } }
