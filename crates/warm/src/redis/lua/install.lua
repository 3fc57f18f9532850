-- Installs the state of an event from cold, under a higher epoch and the lease of its rebuild. The higher version of each place wins, the gate filter
-- keeps its tickets, and holds without a conflict stay. ARGV: 5 lease, 6 epoch, 7 number of places, 8 areas, 9 to 12 bitmaps and versions from cold,
-- 13 admitted and 14 revoked tickets (sixteen bytes each).
local lease, until_ = (call('GET', base .. 'lease') or ''):match('^(%S+) (%d+)$')
if lease ~= ARGV[5] or tonumber(until_) <= current_time() then return UNLOADED end
local has_previous = read_meta()
if has_previous and tonumber(ARGV[6]) <= epoch then return UNLOADED end

local old_versions, old_places = '', ''
local old_records, old_holders, is_same_layout = {}, {}, false
clock = has_previous and math.max(clock, current_time()) or current_time()
-- From an incomplete state only the gate filter survives.
if has_previous and read_areas() == ARGV[8] and length == tonumber(ARGV[7]) and is_complete() then
  is_same_layout = true
  old_places = call('GET', PLACES)
  old_versions = old_places:sub(version_at(0) + 1)
  local book = call('HGETALL', BOOK)
  for at = 1, #book, 2 do
    local field, value = book[at], book[at + 1]
    local kind = field:sub(1, 1)
    if kind == 'h' then old_records[field:sub(2)] = unpack_record(value) elseif kind ~= 's' then old_holders[tonumber(field)] = value end
  end
end

call('DEL', META, HOLDS, BOOK, LOG, ADDRESSES)
call('SET', PLACES, ARGV[9] .. ARGV[10] .. ARGV[11] .. ARGV[12])
epoch, seq, length, installed, run = tonumber(ARGV[6]), 0, tonumber(ARGV[7]), clock, ARGV[1]
hold_count, held_place_count, session_count, logged_changes, next_end, bytes = 0, 0, 0, 0, NEVER, math.ceil(length / 8)

local function old_bit(bitmap, place)
  local at = bitmap * bytes + math.floor(place / 8) + 1
  return bit.band(old_places:byte(at), bit.lshift(1, 7 - place % 8)) ~= 0
end
local function old_state(place)
  if not old_bit(0, place) then return FREE end
  if old_bit(1, place) then return 2 end
  if old_bit(2, place) then return 3 end
  return HELD
end

-- Keeps decisions of cold that are newer than the rebuild's read. Most versions are equal, so they are compared in chunks.
local CHUNK_BYTES = 1024
for from = 1, #old_versions, CHUNK_BYTES do
  local was, is = old_versions:sub(from, from + CHUNK_BYTES - 1), ARGV[12]:sub(from, from + CHUNK_BYTES - 1)
  if was ~= is then
    for at = 1, #was, 4 do
      local newer, place = struct.unpack('<I4', was, at), (from + at - 2) / 4
      if newer > struct.unpack('<I4', is, at) then
        set_version(place, newer)
        set_display_state(place, old_holders[place] and FREE or old_state(place))
      end
    end
  end
end

-- A hold survives if it still has every granted place, and all of them are free in cold.
local function survives(hold, record)
  for _, place in ipairs(granted(record)) do
    if old_holders[place] ~= hold or display_state(place) ~= FREE then return false end
  end
  return true
end
for hold, record in pairs(old_records) do
  if ends_at(record) > clock and (record.phase == CLAIMED or survives(hold, record)) then
    insert_hold(hold, record)
    for _, place in ipairs(granted(record)) do
      if old_holders[place] == hold and display_state(place) == FREE then take_place(place, hold) end
    end
  end
end

for set, tickets in pairs({ admitted = ARGV[13], revoked = ARGV[14] }) do
  for at = 1, #tickets, 16 do call('SADD', base .. set, tickets:sub(at, at + 15)) end
end
write_book()
write_meta()
call('HSET', META, 'areas', ARGV[8])
call('DEL', base .. 'lease')
publish_position()
return { 0, epoch, seq, is_same_layout and 1 or 0 }
