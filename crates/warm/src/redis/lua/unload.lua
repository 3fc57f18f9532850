-- A step was broken off: what it left must not be acted upon. The next call answers `unloaded`, and the event is rebuilt.
call('HDEL', META, 'state')
return { 0, 0, 0, 0 }
