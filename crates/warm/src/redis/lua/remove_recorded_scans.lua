-- Removes offline scans that cold has recorded. Their tickets stay admitted, also after a rebuild from a cold that had not recorded them.
-- ARGV: 5 scans (sixteen bytes each).
if not loaded() then return UNLOADED end
local SCANS, SCANS_OF_TICKET, ADMISSIONS = base .. 'kept', base .. 'kept_of', base .. 'let_in'
for at = 1, #ARGV[5], 16 do
  local scan = ARGV[5]:sub(at, at + 15)
  local stored = call('HGET', SCANS, scan)
  if stored then
    local ticket = stored:sub(1, 16)
    end_intent(ticket, scan)
    local entry = call('HGET', ADMISSIONS, ticket)
    if entry and entry:sub(1, 16) == scan then
      call('HDEL', ADMISSIONS, ticket)
      add_to_filter('admitted', ticket)
    end
    local left = list_without(call('HGET', SCANS_OF_TICKET, ticket) or '', scan)
    if left == '' then call('HDEL', SCANS_OF_TICKET, ticket) else call('HSET', SCANS_OF_TICKET, ticket, left) end
    call('HDEL', SCANS, scan)
    call('SREM', base .. 'told', scan)
    call('ZREM', base .. 'kept_at', scan)
  end
end
return { 0, epoch, seq, 0 }
