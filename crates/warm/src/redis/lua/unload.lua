-- Unloads an event after a script failed halfway, so that the partial step is never served; the next call returns `unloaded`, and the event is rebuilt.
call('HDEL', META, 'state')
return { 0, 0, 0, 0 }
