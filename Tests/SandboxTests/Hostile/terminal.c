// expect: exited 0
// says: CONTAINED
// Words put into the terminal of whoever started the server.
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
int main(void) {
  int escaped = 0, tty = open("/dev/tty", O_RDWR);
  escaped |= tty >= 0;
  for (int file = 0; file < 3; file++) {
    escaped |= ioctl(file, TIOCSTI, "x") == 0;
    escaped |= ioctl(file, TIOCSTI | (1l << 32), "x") == 0;
    escaped |= ioctl(file, TIOCLINUX, "\2") == 0;
    escaped |= ioctl(file, TIOCSCTTY, 1) == 0;
  }
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (master >= 0) escaped |= ioctl(master, TIOCSTI, "x") == 0;
  puts(escaped ? "ESCAPED" : "CONTAINED");
}
