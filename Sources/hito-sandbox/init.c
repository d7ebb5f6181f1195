#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(int control, char letter, int32_t number) {
  char message[1 + sizeof number];
  message[0] = letter;
  memcpy(message + 1, &number, sizeof number);
  (void)!write(control, message, sizeof message);
}

/* `RESOURCE=VALUE,...`, both numbers. */
static int set_limits(const char *text) {
  while (*text != '\0') {
    char *next;
    int resource = (int)strtol(text, &next, 10);
    if (*next != '=') return -1;
    struct rlimit limit;
    limit.rlim_cur = limit.rlim_max = strtoull(next + 1, &next, 10);
    if (setrlimit((__rlimit_resource_t)resource, &limit) != 0) return -1;
    text = *next == ',' ? next + 1 : next;
  }
  return 0;
}

/* What the command has is what is left here: standard descriptors, and the report where there is one. */
static int keep_descriptors(int control, int report, int number) {
  int kept = 2;
  if (number > 2) {
    if (report != number && dup2(report, number) < 0) return -1;
    kept = number;
    for (int other = 3; other < number; other++)
      if (other != control) close(other);
  }
  unsigned above = (unsigned)kept + 1;
  if (syscall(SYS_close_range, above, (unsigned)control - 1, 0u) != 0 && above <= (unsigned)control - 1)
    return -1;
  return (int)syscall(SYS_close_range, (unsigned)control + 1, ~0u, 0u);
}

static _Noreturn void run(int control, int report, int number, const char *limits, const char *folder,
                          char **command) {
  sigset_t none;
  sigemptyset(&none);
  for (int one = 1; one < NSIG; one++) signal(one, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  umask(022);
  if (chdir(folder) == 0 && keep_descriptors(control, report, number) == 0 && set_limits(limits) == 0) {
    tell(control, message_began, 0);
    execvp(command[0], command);
  }
  tell(control, message_refused, errno);
  _exit(127);
}

int init(int count, char **arguments) {
  if (count < 6) return 64;
  int report = atoi(arguments[1]), number = atoi(arguments[2]);
  /* Nobody inside may look at this process, or take over what it says. */
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return 65;
  int control = fcntl(atoi(arguments[0]), F_DUPFD_CLOEXEC, 64);
  if (control < 0) return 66;
  pid_t child = fork();
  if (child < 0) {
    tell(control, message_refused, errno);
    return 67;
  }
  if (child == 0) run(control, report, number, arguments[3], arguments[4], arguments + 5);
  syscall(SYS_close_range, 0u, (unsigned)control - 1, 0u);
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, 0);
    if (ended == child) {
      tell(control, message_ended, status);
      break;
    }
    if (ended < 0 && errno != EINTR) break;
  }
  /* The end of the first process is the end of all of them. */
  _exit(0);
}
