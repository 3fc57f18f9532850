-- Forgets scans that cold has; their tickets stay admitted, also where the event was rebuilt from a cold that did not know them. ARGV: 5 the scans
-- (sixteen bytes each).
if not loaded() then return UNLOADED end
local KEPT, KEPT_OF, LET_IN = base .. 'kept', base .. 'kept_of', base .. 'let_in'
for at = 1, #ARGV[5], 16 do
  local scan = ARGV[5]:sub(at, at + 15)
  local known = call('HGET', KEPT, scan)
  if known then
    local ticket = known:sub(1, 16)
    forget_act(ticket, scan)
    local entry = call('HGET', LET_IN, ticket)
    if entry and entry:sub(1, 16) == scan then
      call('HDEL', LET_IN, ticket)
      know('admitted', ticket)
    end
    local left = without(call('HGET', KEPT_OF, ticket) or '', scan)
    if left == '' then call('HDEL', KEPT_OF, ticket) else call('HSET', KEPT_OF, ticket, left) end
    call('HDEL', KEPT, scan)
    call('SREM', base .. 'told', scan)
    call('ZREM', base .. 'kept_at', scan)
  end
end
return { 0, epoch, seq, 0 }
