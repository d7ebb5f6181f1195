// expect: ended
// compile: gcc -fsyntax-only
// An endless file.
#include "/dev/zero"
