// expect: cpu_time
// met: processes
// Children that do what their parent does, without an end.
#include <unistd.h>
int main(void) { for (;;) fork(); }
