# expect: signalled 9
# Waits for nobody, so that it is never told from a busy machine.
kill -STOP $$
echo ESCAPED
