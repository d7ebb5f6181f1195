// expect: ended
// compile: gcc -c -o out.o
// The assembler fills what the compiler only names.
__asm__(".fill 0x7fffffff, 1, 0");
