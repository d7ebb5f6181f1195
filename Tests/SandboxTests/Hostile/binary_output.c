// expect: exited 0
// What is no text comes through as it is: every byte there is.
#include <stdio.h>
int main(void) { for (int i = 0; i < 256; i++) putchar(i); }
