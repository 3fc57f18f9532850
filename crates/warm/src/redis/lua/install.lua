-- Makes an event's state anew from cold, under a higher epoch and the lease of its rebuild. Of each place the higher version counts, what the gate
-- knew stays known, and holds that conflict with nothing stay. ARGV: 5 the lease, 6 the epoch, 7 the number of places, 8 the areas,
-- 9 to 12 the bitmaps and versions that cold describes, 13 and 14 admitted and revoked tickets (sixteen bytes each).
local lease, until_ = (call('GET', base .. 'lease') or ''):match('^(%S+) (%d+)$')
if lease ~= ARGV[5] or tonumber(until_) <= present() then return UNLOADED end
local known = read_meta()
if known and tonumber(ARGV[6]) <= epoch then return UNLOADED end

local old_versions, old_places = '', ''
local old_records, old_holders, same = {}, {}, false
clock = known and math.max(clock, present()) or present()
-- A torn state hands nothing over but what the gate knew.
if known and read_areas() == ARGV[8] and length == tonumber(ARGV[7]) and whole() then
  same = true
  old_places = call('GET', PLACES)
  old_versions = old_places:sub(version_at(0) + 1)
  local book = call('HGETALL', BOOK)
  for at = 1, #book, 2 do
    local field, value = book[at], book[at + 1]
    local kind = field:sub(1, 1)
    if kind == 'h' then old_records[field:sub(2)] = unpacked(value) elseif kind ~= 's' then old_holders[tonumber(field)] = value end
  end
end

call('DEL', META, HOLDS, BOOK, LOG, ADDRESSES)
call('SET', PLACES, ARGV[9] .. ARGV[10] .. ARGV[11] .. ARGV[12])
epoch, seq, length, installed, run = tonumber(ARGV[6]), 0, tonumber(ARGV[7]), clock, ARGV[1]
open, reach, seated, logged, next_lapse, bytes = 0, 0, 0, 0, NEVER, math.ceil(length / 8)

local function old_bit(bitmap, place)
  local at = bitmap * bytes + math.floor(place / 8) + 1
  return bit.band(old_places:byte(at), bit.lshift(1, 7 - place % 8)) ~= 0
end
local function old_look(place)
  if not old_bit(0, place) then return FREE end
  if old_bit(1, place) then return 2 end
  if old_bit(2, place) then return 3 end
  return HELD
end

-- What cold decided after the rebuild had read it. Most versions agree: they are compared a stretch at a time.
local STRETCH = 1024
for from = 1, #old_versions, STRETCH do
  local was, is = old_versions:sub(from, from + STRETCH - 1), ARGV[12]:sub(from, from + STRETCH - 1)
  if was ~= is then
    for at = 1, #was, 4 do
      local newer, place = struct.unpack('<I4', was, at), (from + at - 2) / 4
      if newer > struct.unpack('<I4', is, at) then
        set_version(place, newer)
        show(place, old_holders[place] and FREE or old_look(place))
      end
    end
  end
end

-- The holds that nothing speaks against: all that was granted is still theirs, and free in cold.
local function survives(hold, record)
  for _, place in ipairs(granted(record)) do
    if old_holders[place] ~= hold or shown(place) ~= FREE then return false end
  end
  return true
end
for hold, record in pairs(old_records) do
  if lapses_at(record) > clock and (record.phase == CLAIMED or survives(hold, record)) then
    enter(hold, record)
    for _, place in ipairs(granted(record)) do
      if old_holders[place] == hold and shown(place) == FREE then take_place(place, hold) end
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
tell()
return { 0, epoch, seq, same and 1 or 0 }
