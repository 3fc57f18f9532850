-- Scan intents: which requests are asking cold about a ticket, as a list of sixteen bytes per request. A ticket that the gate filter knows has no list.

local function list_without(list, intent)
  local left = ''
  for at = 1, #list, 16 do
    local other = list:sub(at, at + 15)
    if other ~= intent then left = left .. other end
  end
  return left
end

local function end_intent(ticket, intent)
  local left = list_without(call('HGET', INTENTS, ticket) or '', intent)
  if left == '' then call('HDEL', INTENTS, ticket) else call('HSET', INTENTS, ticket, left) end
end

local function add_to_filter(set, ticket)
  call('SADD', base .. set, ticket)
  call('HDEL', INTENTS, ticket)
end

-- An offline scan as it is returned, without the ticket that begins the stored value.
local function offline_scan_reply(scan)
  return call('SISMEMBER', base .. 'told', scan) .. '\n' .. (call('HGET', base .. 'kept', scan) or ''):sub(17)
end
