-- The whole state at one position.
if not loaded() then return UNLOADED end
return { 0, epoch, seq, { length, areas, call('GET', TAKEN), call('GET', SOLD), call('GET', BLOCKED) } }
