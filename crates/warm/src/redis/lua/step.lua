-- The end of a step: writes its changes, publishes its position, and builds the reply.

local function write_addresses()
  -- A node of an earlier version frees places without counting addresses, so the counts are dropped with the last place.
  if held_place_count == 0 then return call('DEL', ADDRESSES) end
  for address, counts in pairs(address_usages) do
    if counts.changed and counts.places > 0 then call('HSET', ADDRESSES, address, counts.places)
    elseif counts.changed then call('HDEL', ADDRESSES, address) end
  end
end

local function write_book()
  for session, counts in pairs(usages) do
    if counts.changed then
      local is_gone = counts.holds <= 0 and counts.places <= 0
      if counts.is_new ~= is_gone then session_count = session_count + (is_gone and -1 or 1) end
      if not (counts.is_new and is_gone) then
        book_writes['s' .. session] = not is_gone and struct.pack('<I4I4', math.max(counts.holds, 0), math.max(counts.places, 0))
      end
    end
  end
  local set, struck = {}, {}
  for field, value in pairs(book_writes) do
    if value then set[#set + 1], set[#set + 2] = field, value else struck[#struck + 1] = field end
  end
  for from = 1, #struck, 1000 do call('HDEL', BOOK, unpack(struck, from, math.min(from + 999, #struck))) end
  for from = 1, #set, 1000 do call('HSET', BOOK, unpack(set, from, math.min(from + 999, #set))) end
  write_addresses()
end

local function publish_position() call('SPUBLISH', base .. 'moved', text(epoch) .. ':' .. text(seq)) end

local function close_step()
  if not has_written then return end
  seq = seq + 1
  write_log()
  write_book()
  write_meta()
  publish_position()
end

-- The two replies of a step.
local function answer(value)
  close_step()
  return { 0, epoch, seq, value }
end
local function refuse(code, evidence)
  close_step()
  return { 2, epoch, seq, code, evidence or '' }
end

local function packed_hold(hold)
  local record = get_hold(hold)
  local phase = record.phase
  if phase == PINNED and record['until'] <= clock then phase = ACTIVE end
  return pack_record(record, phase)
end

-- The hold, unless it has expired (freed or not); otherwise the code of the refusal. `created_at` is the time in the hold's id in microseconds, if known.
local function live_hold(hold, created_at)
  local record = get_hold(hold)
  if record and ends_at(record) > clock then return record end
  created_at = tonumber(created_at)
  if not record and created_at and created_at < installed and installed - created_at < HOLD_DURATION_MAX then return nil, 'lost' end
  return nil, 'expired'
end

-- The hold, unless an order is being placed or was placed from it.
local function active_hold(hold, created_at)
  local record, code = live_hold(hold, created_at)
  if not record then return nil, code end
  if record.phase == CLAIMED then return nil, 'ordered', record.order end
  if record.phase == PINNED and record['until'] > clock then return nil, 'being_ordered' end
  return record
end
