-- The state that all functions share: what a call reads first, and whether that state may be served.
-- Never: a rule that `voelgoed_domain::ticketing::inventory` does not have; data kept between calls, except the names of keys (`begin` resets the rest).
-- KEYS[1] is the event's prefix, which contains the hash tag.
-- ARGV: 1 run id of the server that the caller is connected to, 2 and 3 highest position (epoch, seq) that the caller has seen, 4 time in microseconds
-- (tests only; otherwise the server's time).
--
-- | key         | content                                                                                             |
-- | `meta`      | the packed state, and the areas                                                                     |
-- | `places`    | the bitmaps taken, sold and blocked, then a version of four bytes per place                         |
-- | `holds`     | the expiry of each hold                                                                             |
-- | `book`      | the holds (h…), the hold of each held place (by its number), the usage of each session (s…)         |
-- | `log`       | the last steps                                                                                      |
-- | `addresses` | the number of held places per client address                                                        |

local call, ARGV, base, META, PLACES, HOLDS, BOOK, LOG, INTENTS, ADDRESSES
local FREE, HELD = 0, 1
local ACTIVE, PINNED, CLAIMED = 0, 1, 2
local UNLOADED = { 1 }
local NO_ORDER = ('\0'):rep(16)
local NEVER = 2 ^ 53
local DROP_BATCH = 64

-- The packed state in `meta`. `held_place_count` counts the places of all holds, `session_count` the sessions with a hold or a place, `logged_changes`
-- the changes in the log. No hold expires before `next_end`.
local epoch, seq, length, clock, installed, hold_count, held_place_count, session_count, logged_changes, next_end, run
-- The length of a bitmap in bytes.
local bytes

-- The caches of this step, its writes to `book`, and whether it has written anything.
local states, states_before, holders, records, usages, address_usages, book_writes, has_written

local function begin(keys, argv)
  call, ARGV = redis.call, argv
  if base ~= keys[1] then
    base = keys[1]
    META, PLACES, HOLDS, BOOK, LOG = base .. 'meta', base .. 'places', base .. 'holds', base .. 'book', base .. 'log'
    INTENTS, ADDRESSES = base .. 'asked', base .. 'addresses'
  end
  states, states_before, holders, records, usages, address_usages, book_writes, has_written = {}, {}, {}, {}, {}, {}, {}, false
end

-- Formats whole numbers beyond 10^14, which Lua's own conversion would round.
local function text(number) return string.format('%d', number) end

-- Reads the state; false if there is none.
local function read_meta()
  local state = call('HGET', META, 'state')
  if not state then return false end
  epoch, seq, length, clock, installed, hold_count, held_place_count, session_count, logged_changes, next_end = struct.unpack('<dddddddddd', state)
  run, bytes = state:sub(81), math.ceil(length / 8)
  return true
end

local function write_meta()
  local state = struct.pack('<dddddddddd', epoch, seq, length, clock, installed, hold_count, held_place_count, session_count, logged_changes, next_end)
  call('HSET', META, 'state', state .. run)
end

local function read_areas() return call('HGET', META, 'areas') end

-- Whether no key of the state is missing or truncated.
local function is_complete()
  return call('STRLEN', PLACES) == bytes * 3 + length * 4 and call('ZCARD', HOLDS) == hold_count and call('HLEN', BOOK) == hold_count + held_place_count + session_count
end

-- Whether the state may be served: complete, not older than the caller has seen, and written by this server process. A promoted or restarted server
-- may have lost writes that were acknowledged.
local function loaded()
  if not read_meta() or run ~= ARGV[1] then return false end
  local seen_epoch, seen_seq = tonumber(ARGV[2]), tonumber(ARGV[3])
  if epoch < seen_epoch or (epoch == seen_epoch and seq < seen_seq) then return false end
  return is_complete()
end

local function current_time()
  if ARGV[4] ~= '' then return tonumber(ARGV[4]) end
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

-- The clock never goes back; steps that write store it.
local function advance_clock() clock = math.max(clock, current_time()) end

-- Lists of places as packed u32, as they are sent and stored.
local function pack_places(places)
  local packed = {}
  for at, place in ipairs(places) do packed[at] = struct.pack('<I4', place) end
  return table.concat(packed)
end
local function unpack_places(packed, into)
  for at = 1, #packed, 4 do into[#into + 1] = struct.unpack('<I4', packed, at) end
  return into
end
