# expect: exited 0
# says: CONTAINED
for kind in --user --mount --net --pid --ipc --uts --cgroup; do
  unshare $kind true 2>/dev/null && echo ESCAPED $kind
done
unshare --map-root-user true 2>/dev/null && echo ESCAPED map
echo CONTAINED
