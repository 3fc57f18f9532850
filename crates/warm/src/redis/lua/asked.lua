-- What the scripts of a gate without cold share. Which acts ask cold about which tickets: a list per ticket, sixteen bytes an act. What the filter knows of a ticket needs no such list any more.

local function without(list, act)
  local left = ''
  for at = 1, #list, 16 do
    local other = list:sub(at, at + 15)
    if other ~= act then left = left .. other end
  end
  return left
end

local function forget_act(ticket, act)
  local left = without(call('HGET', ASKED, ticket) or '', act)
  if left == '' then call('HDEL', ASKED, ticket) else call('HSET', ASKED, ticket, left) end
end

local function know(set, ticket)
  call('SADD', base .. set, ticket)
  call('HDEL', ASKED, ticket)
end

-- A kept scan as it is answered; without the ticket that it is kept under.
local function kept_scan(scan)
  return call('SISMEMBER', base .. 'told', scan) .. '\n' .. (call('HGET', base .. 'kept', scan) or ''):sub(17)
end
