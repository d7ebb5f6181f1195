# expect: exited 0
# met: disk
# says: CONTAINED
i=0
while [ $i -lt 100 ] && head -c 1000000 /dev/zero > "fill$i" 2>/dev/null; do i=$((i + 1)); done
[ $i -lt 100 ] && echo CONTAINED
