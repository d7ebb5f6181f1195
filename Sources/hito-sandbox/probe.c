/* Tries inside the sandbox what must not work, and says what did. Run by the inspection of a sandbox. */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Says that a call was let through: it must be refused before it looks at its arguments. */
static void call(const char *name, long number, long a, long b, long c, long d) {
  errno = 0;
  long result = syscall(number, a, b, c, d, 0, 0);
  if (result == -1 && (errno == EPERM || errno == ENOSYS)) return;
  printf("allowed %s (%ld, errno %d)\n", name, result, errno);
}

#define CALL(name, a, b, c, d) call(#name, SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d))

static void probe_calls(void) {
  static char place[4096];
  CALL(ptrace, 0, 0, 0, 0);
  CALL(process_vm_readv, getpid(), 0, 0, 0);
  CALL(process_vm_writev, getpid(), 0, 0, 0);
  CALL(kcmp, 1, 1, 0, 0);
  CALL(pidfd_getfd, 0, 0, 0, 0);
  CALL(add_key, "user", "name", "x", 1);
  CALL(request_key, "user", "name", 0, 0);
  CALL(keyctl, 0, -3, 1, 0);
  CALL(bpf, 0, place, 64, 0);
  CALL(perf_event_open, place, 0, -1, -1);
  CALL(io_uring_setup, 1, place, 0, 0);
  CALL(userfaultfd, 0, 0, 0, 0);
  CALL(mount, "none", "/tmp", "tmpfs", 0);
  CALL(umount2, "/tmp", 0, 0, 0);
  CALL(pivot_root, "/tmp", "/tmp", 0, 0);
  CALL(chroot, "/tmp", 0, 0, 0);
  CALL(fsopen, "tmpfs", 0, 0, 0);
  CALL(open_tree, -100, "/", 1, 0);
  CALL(move_mount, 0, "", 0, "");
  CALL(mount_setattr, -100, "/", 0, place);
  CALL(unshare, CLONE_NEWUSER, 0, 0, 0);
  CALL(unshare, CLONE_NEWNS, 0, 0, 0);
  CALL(setns, 0, 0, 0, 0);
  CALL(clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0);
  CALL(clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0);
  CALL(clone3, place, 64, 0, 0);
  CALL(open_by_handle_at, -100, place, 0, 0);
  CALL(name_to_handle_at, -100, "/", place, place);
  CALL(init_module, place, 16, "", 0);
  CALL(finit_module, 0, "", 0, 0);
  CALL(kexec_load, 0, 0, 0, 0);
  CALL(reboot, 0xfee1dead, 672274793, 0, 0);
  CALL(swapon, "/tmp", 0, 0, 0);
  CALL(acct, 0, 0, 0, 0);
  CALL(quotactl, 0, 0, 0, 0);
  CALL(syslog, 3, place, 16, 0);
  CALL(settimeofday, place, 0, 0, 0);
  CALL(clock_settime, 0, place, 0, 0);
  CALL(sethostname, "x", 1, 0, 0);
  CALL(personality, 0x0040000, 0, 0, 0);
  CALL(seccomp, 1, 0, 0, 0);
  CALL(socket, AF_UNIX, SOCK_STREAM, 0, 0);
  CALL(socket, AF_INET, SOCK_STREAM, 0, 0);
  CALL(memfd_secret, 0, 0, 0, 0);
  CALL(mknodat, -100, "device", S_IFBLK | 0600, 0);
  CALL(fanotify_init, 0, 0, 0, 0);
  CALL(setuid, 0, 0, 0, 0);
  CALL(prctl, PR_SET_DUMPABLE, 1, 0, 0);
  CALL(prctl, PR_SET_PTRACER, -1, 0, 0);
  struct { unsigned long now, most; } core = {1000, 1000};
  CALL(prlimit64, 0, 4 /* RLIMIT_CORE */, &core, 0);
  char letter = 'x';
  errno = 0;
  if (ioctl(0, TIOCSTI, &letter) == 0 || (errno != EPERM && errno != ENOTTY)) printf("allowed TIOCSTI\n");
}

static void probe_network(void) {
  static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
  for (int family = 0; family < 50; family++)
    for (int type = 0; type < 4; type++)
      if (socket(family, types[type], 0) >= 0) printf("allowed socket of family %d\n", family);
  int pair[2];
  if (socketpair(AF_INET, SOCK_STREAM, 0, pair) == 0) printf("allowed socketpair\n");
  FILE *file = fopen("/proc/net/dev", "re");
  char line[512];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    char *colon = strchr(line, ':');
    if (colon == NULL) continue;
    *colon = '\0';
    const char *name = line + strspn(line, " ");
    if (strcmp(name, "lo") != 0) printf("sees the interface %s\n", name);
  }
}

static void print_matching(const char *path, const char *const prefixes[]) {
  FILE *file = fopen(path, "re");
  char line[512];
  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    for (int index = 0; prefixes[index] != NULL; index++)
      if (strncmp(line, prefixes[index], strlen(prefixes[index])) == 0) fputs(line, stdout);
  if (file != NULL) fclose(file);
}

/* Who this process is, as /proc says; and a file, by whose owner the host knows the real user. */
static void probe_self(void) {
  static const char *const wanted[] = {"Cap", "NoNewPrivs:", "Seccomp:", "Groups:", NULL};
  print_matching("/proc/self/status", wanted);
  int file = open("mark", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file >= 0) close(file);
  for (long pid = 2; pid < 100000; pid++) {
    if (pid == getpid() || kill((pid_t)pid, 0) == 0) continue;
    if (errno != ESRCH) printf("reaches process %ld\n", pid);
  }
  for (long pid = 3; pid < 100; pid++)
    if (kill((pid_t)pid, 0) == 0) printf("sees process %ld\n", pid);
  if (open("/proc/1/environ", O_RDONLY) >= 0) printf("reads /proc/1/environ\n");
  if (open("/proc/1/mem", O_RDWR) >= 0) printf("opens /proc/1/mem\n");
  if (open("/proc/1/fd", O_RDONLY | O_DIRECTORY) >= 0) printf("lists /proc/1/fd\n");
}

static void probe_files(void) {
  static const char *const written[] = {
    "/x", "/usr/x", "/usr/bin/x", "/etc/x", "/etc/passwd", "/dev/x", "/init", "/proc/sys/kernel/core_pattern",
    "/proc/sysrq-trigger", "/proc/1/oom_score_adj",
  };
  static const char *const absent[] = {
    "/root", "/home", "/var", "/sys/kernel", "/run", "/boot", "/etc/shadow", "/etc/ssh", "/etc/ssl/private",
    "/dev/sda", "/dev/vda", "/dev/kmsg", "/dev/mem", "/dev/kvm", "/dev/fuse", "/srv", "/mnt",
  };
  for (size_t index = 0; index < sizeof written / sizeof *written; index++) {
    int file = open(written[index], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0) printf("writes %s\n", written[index]);
  }
  for (size_t index = 0; index < sizeof absent / sizeof *absent; index++)
    if (access(absent[index], F_OK) == 0) printf("sees %s\n", absent[index]);
  if (mkdir("/usr/y", 0755) == 0) printf("makes /usr/y\n");
  if (unlink("/etc/passwd") == 0) printf("removes /etc/passwd\n");
  if (chmod("/usr/bin", 0777) == 0) printf("changes /usr/bin\n");
}

static void probe_inheritance(char **environment) {
  for (; *environment != NULL; environment++) printf("env %s\n", *environment);
  for (int file = 3; file < 4096; file++)
    if (fcntl(file, F_GETFD) >= 0) printf("descriptor %d\n", file);
  if (open("/dev/tty", O_RDWR) >= 0) printf("has a terminal\n");
  for (int file = 0; file < 3; file++)
    if (isatty(file)) printf("descriptor %d is a terminal\n", file);
}

/* How much `folder` takes: bytes in files of 1 MiB, then empty files. */
static void probe_disk(const char *folder) {
  static char block[1 << 16];
  long long bytes = 0, files = 0;
  char path[128];
  int is_full = 0;
  while (!is_full && bytes < 1ll << 30) {
    snprintf(path, sizeof path, "%s/b%lld", folder, bytes);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) break;
    for (int index = 0; index < 16 && !is_full; index++) {
      ssize_t written = write(file, block, sizeof block);
      if (written > 0) bytes += written;
      is_full = written != (ssize_t)sizeof block;
    }
    close(file);
  }
  for (; files < 1 << 20; files++) {
    snprintf(path, sizeof path, "%s/f%lld", folder, files);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) break;
    close(file);
  }
  printf("bytes %lld\nfiles %lld\n", bytes, files);
}

static void probe_memory(void) {
  for (;;) {
    char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) break;
    memset(block, 1, 1 << 20);
  }
  printf("mmap failed\n");
}

static void probe_processes(void) {
  int count = 1;
  for (; count < 10000; count++) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0) for (;;) pause();
  }
  printf("processes %d\n", count);
}

/* Does all that it can not to be ended, and leaves others behind that do the same. */
static void probe_stubborn(void) {
  for (int one = 1; one < NSIG; one++) signal(one, SIG_IGN);
  for (int index = 0; index < 4; index++) {
    if (fork() != 0) continue;
    setsid();
    if (fork() != 0) _exit(0);
    for (;;) pause();
  }
  for (;;) pause();
}

/* What to try, from standard input. */
static const char *told(void) {
  static char what[32];
  size_t length = 0;
  for (ssize_t got = 1; got > 0 && length < sizeof what - 1; length += got > 0 ? (size_t)got : 0)
    got = read(0, what + length, sizeof what - 1 - length);
  return what;
}

int probe(int count, char **arguments) {
  extern char **environ;
  const char *what = count > 0 ? arguments[0] : "";
  if (strcmp(what, "told") == 0) what = told();
  if (strcmp(what, "calls") == 0) probe_calls();
  else if (strcmp(what, "network") == 0) probe_network();
  else if (strcmp(what, "self") == 0) probe_self();
  else if (strcmp(what, "files") == 0) probe_files();
  else if (strcmp(what, "inheritance") == 0) probe_inheritance(environ);
  else if (strcmp(what, "disk") == 0 && count > 1) probe_disk(arguments[1]);
  else if (strcmp(what, "memory") == 0) probe_memory();
  else if (strcmp(what, "processes") == 0) probe_processes();
  else if (strcmp(what, "stubborn") == 0) probe_stubborn();
  else if (strcmp(what, "spin") == 0) for (volatile unsigned turn = 0;; turn++) {}
  else if (strcmp(what, "wait") == 0) for (;;) pause();
  else if (strcmp(what, "flood") == 0) for (;;) (void)!write(1, what, 5);
  else return 64;
  printf("tried\n");
  return 0;
}
