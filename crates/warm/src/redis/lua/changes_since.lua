-- The steps after a position, or everything where one of them is not kept. ARGV: 5 and 6 the position.
if not loaded() then return UNLOADED end
local since_epoch, since_seq = tonumber(ARGV[5]), tonumber(ARGV[6])
if since_epoch == epoch and since_seq <= seq then
  local told = logged_since(since_seq)
  if told then return { 0, epoch, seq, { 1, since_seq, told } } end
end
local areas = read_areas()
if not areas then return UNLOADED end
return { 0, epoch, seq, { 0, length, areas, call('GETRANGE', PLACES, 0, bytes * 3 - 1) } }
