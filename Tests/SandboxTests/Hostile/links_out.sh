# expect: exited 0
# says: CONTAINED
# collects: shadow passwd hole
# What is read back must not be read through a link.
ln -s /etc/shadow shadow; ln -s /proc/self/root/etc/passwd passwd; ln -s ../../../../../../etc/passwd hole
cat /etc/shadow 2>/dev/null && echo ESCAPED
echo CONTAINED
