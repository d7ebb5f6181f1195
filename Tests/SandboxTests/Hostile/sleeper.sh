# expect: stalled
# wall: 1
exec sleep 1000
