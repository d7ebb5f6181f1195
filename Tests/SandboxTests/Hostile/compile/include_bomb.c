// expect: any
// compile: gcc -fsyntax-only
// A file that includes itself, twice.
#include "include_bomb.c"
#include "include_bomb.c"
