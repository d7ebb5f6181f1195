// expect: signalled 11
int deep(int n) { volatile char block[4096]; block[0] = (char)n; return deep(n + 1) + block[0]; }
int main(void) { return deep(0); }
