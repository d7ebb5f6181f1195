// expect: exited 1
// compile: gcc -fsyntax-only
// lacks: root:
// The compiler would show what it cannot parse.
#include "/etc/shadow"
#include "/proc/1/environ"
