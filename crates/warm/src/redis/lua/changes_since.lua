-- Returns the steps after a position, or a snapshot if the log does not contain all of them. ARGV: 5 epoch and 6 seq of the position.
if not loaded() then return UNLOADED end
local since_epoch, since_seq = tonumber(ARGV[5]), tonumber(ARGV[6])
if since_epoch == epoch and since_seq <= seq then
  local steps = logged_since(since_seq)
  if steps then return { 0, epoch, seq, { 1, since_seq, steps } } end
end
local areas = read_areas()
if not areas then return UNLOADED end
return { 0, epoch, seq, { 0, length, areas, call('GETRANGE', PLACES, 0, bytes * 3 - 1) } }
