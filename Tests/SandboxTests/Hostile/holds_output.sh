# expect: exited 0
# says: CONTAINED
# Whoever waits for the end of the output must not wait for those who hold it.
(trap '' HUP TERM INT; sleep 1000) &
(setsid sleep 1000) &
echo CONTAINED
