#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

struct job {
  int control, report, number;
  /* Of the files that come later; -1: the command has begun when it is executed. */
  int work;
  const char *limits, *folder;
  char **command;
};

static _Noreturn void run(const struct job *job) {
  sigset_t none;
  sigemptyset(&none);
  for (int one = 1; one < NSIG; one++) signal(one, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  umask(022);
  if (chdir(job->folder) == 0 && keep_descriptors(job->control, job->report, job->number) == 0
      && set_limits(job->limits) == 0) {
    if (job->work < 0) tell(job->control, message_began, 0);
    execvp(job->command[0], job->command);
  }
  tell(job->control, message_refused, errno);
  _exit(127);
}

static void interrupt(int signal) { (void)signal; }

/* Waits until the command's job is there, and writes its files. Returns only if there is one: a command
   that has ended before has no job any more, and the next one is started anew. */
static void await_work(const struct job *job, pid_t child) {
  sigset_t old, ended;
  struct sigaction action = {.sa_handler = interrupt};
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &ended, &old) != 0 || sigaction(SIGCHLD, &action, NULL) != 0) _exit(68);
  struct pollfd polled = {.fd = job->control, .events = POLLIN};
  /* Looked once more after the wait: its end and its job may come together. */
  for (int ready = 0; ready >= 0;) {
    if (waitpid(child, NULL, WNOHANG) == child) _exit(69);
    if (ready == 1) break;
    ready = ppoll(&polled, 1, NULL, &old);
    if (ready < 0 && errno == EINTR) ready = 0;
  }
  char letter = 0;
  if (read(job->control, &letter, 1) != 1 || letter != message_start) _exit(70);
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_SETMASK, &old, NULL);

  const char *end, *at = map_file(job->work, sizeof(uint32_t), &end);
  const char *failed = "read the files";
  uint32_t count;
  umask(022);
  if (at != NULL && read_number(&at, end, &count) == 0 && chdir("/work") == 0)
    failed = write_files(at, end, count);
  if (failed != NULL) {
    char message[failure_size];
    (void)!write(job->control, message, failure(message, failed));
    _exit(71);
  }
  (void)!chdir("/");
  close(job->work);
  tell(job->control, message_began, 0);
}

/* A descriptor where the command's are not; -1 stays -1. */
static int aside(int descriptor) {
  return descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 64);
}

int init(int count, char **arguments) {
  if (count < 7) return 64;
  /* Nobody inside may look at this process, or take over what it says. */
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return 65;
  struct job job = {
    .control = aside(atoi(arguments[0])),
    .report = atoi(arguments[1]),
    .number = atoi(arguments[2]),
    .work = aside(atoi(arguments[3])),
    .limits = arguments[4],
    .folder = arguments[5],
    .command = arguments + 6,
  };
  if (job.control < 0) return 66;
  pid_t child = fork();
  if (child < 0) {
    tell(job.control, message_refused, errno);
    return 67;
  }
  if (child == 0) run(&job);
  syscall(SYS_close_range, 0u, 63u, 0u);
  if (job.work >= 0) await_work(&job, child);
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, WUNTRACED);
    if (ended > 0 && WIFSTOPPED(status)) {
      /* Nobody would continue it: who stops the command ends it. */
      kill(ended, SIGKILL);
      continue;
    }
    if (ended == child) {
      tell(job.control, message_ended, status);
      break;
    }
    if (ended < 0 && errno != EINTR) break;
  }
  /* The end of the first process is the end of all of them. */
  _exit(0);
}
