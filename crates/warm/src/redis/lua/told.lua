-- The answer of a kept scan has arrived at the node that passes it on. ARGV: 5 the scan (sixteen bytes).
if not loaded() then return UNLOADED end
if call('HEXISTS', base .. 'kept', ARGV[5]) == 1 then call('SADD', base .. 'told', ARGV[5]) end
return { 0, epoch, seq, 0 }
