-- The log of the last steps, by which followers catch up.

-- The log has a bounded number of steps and of changes. An entry begins with the number of its step, so that a list with a gap is detected. Steps beyond
-- the bound are removed in batches and never returned.
local function drop_steps(steps, limit)
  for _, step in ipairs(call('LPOP', LOG, limit)) do logged_changes = logged_changes - (#step / 4 - 1) end
  return steps - limit
end

local function write_log()
  local places = {}
  for place, was in pairs(states_before) do
    if states[place] ~= was then places[#places + 1] = place end
  end
  table.sort(places)
  logged_changes = logged_changes + #places
  for at, place in ipairs(places) do places[at] = struct.pack('<I4', place * 4 + states[place]) end
  local steps = call('RPUSH', LOG, struct.pack('<I4', seq % 2 ^ 32) .. table.concat(places))
  if steps >= LOG_STEPS_MAX + DROP_BATCH then steps = drop_steps(steps, steps - LOG_STEPS_MAX) end
  while logged_changes > LOG_CHANGES_MAX and steps > 1 do steps = drop_steps(steps, 1) end
end

-- The entries after `since_seq`; nil if the log does not contain all of them.
local function logged_since(since_seq)
  local steps = {}
  if seq - since_seq > LOG_STEPS_MAX then return nil end
  if since_seq < seq then steps = call('LRANGE', LOG, since_seq - seq, -1) end
  if since_seq + #steps ~= seq then return nil end
  for at, step in ipairs(steps) do
    if struct.unpack('<I4', step) ~= (since_seq + at) % 2 ^ 32 then return nil end
    steps[at] = step:sub(5)
  end
  return steps
end
