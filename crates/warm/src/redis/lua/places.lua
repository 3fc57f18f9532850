-- The display state and the version of places.

local function display_state(place)
  local state = states[place]
  if state then return state end
  local sold = bytes * 8
  if call('GETBIT', PLACES, place) == 0 then state = FREE
  elseif call('GETBIT', PLACES, sold + place) == 1 then state = 2
  elseif call('GETBIT', PLACES, sold * 2 + place) == 1 then state = 3
  else state = HELD end
  states[place] = state
  return state
end

-- The only function that changes the display state of a place.
local function set_display_state(place, now)
  local was = display_state(place)
  if was == now then return end
  local sold = bytes * 8
  if was == FREE or now == FREE then call('SETBIT', PLACES, place, now == FREE and 0 or 1) end
  if was == 2 or now == 2 then call('SETBIT', PLACES, sold + place, now == 2 and 1 or 0) end
  if was == 3 or now == 3 then call('SETBIT', PLACES, sold * 2 + place, now == 3 and 1 or 0) end
  states[place], has_written = now, true
  if states_before[place] == nil then states_before[place] = was end
end

local function version_at(place) return bytes * 3 + place * 4 end
local function version(place)
  local at = version_at(place)
  return (struct.unpack('<I4', call('GETRANGE', PLACES, at, at + 3)))
end
local function set_version(place, version) call('SETRANGE', PLACES, version_at(place), struct.pack('<I4', version)) end
