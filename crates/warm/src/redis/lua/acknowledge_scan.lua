-- Records that the reply of an offline scan has reached the node that delivers it. ARGV: 5 scan (sixteen bytes).
if not loaded() then return UNLOADED end
if call('HEXISTS', base .. 'kept', ARGV[5]) == 1 then call('SADD', base .. 'told', ARGV[5]) end
return { 0, epoch, seq, 0 }
