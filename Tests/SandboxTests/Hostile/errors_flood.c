// expect: output
#include <unistd.h>
int main(void) { for (;;) (void)!write(2, "noise noise noise\n", 18); }
