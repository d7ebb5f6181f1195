# expect: exited 0
# says: CONTAINED
# The launcher is shown as /init: it must be neither written nor be of any use.
(echo x > /init) 2>/dev/null && echo ESCAPED
(cat /dev/null > /proc/1/exe) 2>/dev/null && echo ESCAPED
/init launch 1 /tmp/x 3>/dev/null && echo ESCAPED
echo CONTAINED
