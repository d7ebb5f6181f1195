# expect: exited 0
# says: CONTAINED
[ "$(id -u)" = 0 ] && echo ESCAPED
su -c id 2>/dev/null && echo ESCAPED
setpriv --reuid 0 id 2>/dev/null && echo ESCAPED
chown 0:0 . 2>/dev/null && echo ESCAPED
cp /bin/sh sh && chmod 4755 sh && ./sh -p -c '[ "$(id -u)" = 0 ]' && echo ESCAPED
echo CONTAINED
