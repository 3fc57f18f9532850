-- Returns the whole state at one position.
if not loaded() then return UNLOADED end
local areas = read_areas()
if not areas then return UNLOADED end
return { 0, epoch, seq, { length, areas, call('GETRANGE', PLACES, 0, bytes * 3 - 1) } }
