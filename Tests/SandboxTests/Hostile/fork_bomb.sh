# expect: any
# met: processes
# The classic one.
bomb() { bomb | bomb & }
bomb
sleep 1
