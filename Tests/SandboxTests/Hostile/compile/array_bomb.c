// expect: ended
// compile: gcc -c -o out.o
// An object file that is larger than a disk.
int a[1 << 28] = {1};
