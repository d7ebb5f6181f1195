# expect: exited 0
# met: disk
# says: CONTAINED
# Folders and links are files too.
i=0
while [ $i -lt 1000 ] && mkdir "d$i" 2>/dev/null; do i=$((i + 1)); done
[ $i -lt 300 ] && echo CONTAINED
