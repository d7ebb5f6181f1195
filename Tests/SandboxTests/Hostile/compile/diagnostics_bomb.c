// expect: exited 1
// compile: gcc -fsyntax-only -fmax-errors=0
// discard: yes
// More to say than anybody keeps.
#define A x; x; x; x; x; x; x; x; x; x;
#define B A A A A A A A A A A
#define C B B B B B B B B B B
void f(void) { C }
