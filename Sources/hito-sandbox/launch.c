#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the control socket is until the job's descriptors take their places. */
enum { fd_owner = 3 };
enum {
  job_in, job_out, job_err, job_report, job_seccomp, job_work, job_request, job_descriptor_count
};

static int owner = fd_owner;

static _Noreturn void fail(const char *step) {
  char message[failure_size];
  size_t length = failure(message, step);
  (void)!send(owner, message, length, MSG_NOSIGNAL);
  _exit(125);
}

/* Dies with the server. The kernel forgets this at a change of user, so it is said again after. */
static void die_with(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl PR_SET_PDEATHSIG");
  if (getppid() != parent) _exit(70);
}

static void join_group(const char *procs) {
  int file = open(procs, O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, "0", 1) != 1) fail(procs);
  close(file);
}

static void write_text(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  size_t length = strlen(text);
  if (file < 0 || write(file, text, length) != (ssize_t)length) fail(path);
  close(file);
}

static void make_folder(const char *path, mode_t mode) {
  if (mkdir(path, mode) != 0 || chmod(path, mode) != 0) fail(path);
}

/* A file or folder of the host's /etc that programs need to start, where it is there. */
static void lend(const char *source, const char *target) {
  struct stat information;
  if (stat(source, &information) != 0) return;
  if (S_ISDIR(information.st_mode)) make_folder(target, 0755);
  else write_text(target, "");
  if (mount(source, target, NULL, MS_BIND, NULL) != 0) fail(source);
}

/* Debian's Java keeps in /etc what it needs to start. */
static void lend_java(void) {
  glob_t found;
  if (glob("/etc/java-*-openjdk", GLOB_NOSORT, NULL, &found) == 0) {
    for (size_t index = 0; index < found.gl_pathc && index < 8; index++) {
      char target[256];
      int length = snprintf(target, sizeof target, STAGE "%s", found.gl_pathv[index]);
      if (length > 0 && (size_t)length < sizeof target) lend(found.gl_pathv[index], target);
    }
  }
  globfree(&found);
}

/* A mount table of its own, in which STAGE holds what is the same for every job. */
static void prepare(void) {
  /* No core dumps. Not 0: that does not keep one from a program that the host has set up for them. The
     filter of system calls keeps the job from setting it to something else. */
  struct rlimit none = {1, 1};
  if (setrlimit(RLIMIT_CORE, &none) != 0) fail("setrlimit");
  umask(022);
  if (unshare(CLONE_NEWNS) != 0) fail("unshare CLONE_NEWNS");
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("mount MS_PRIVATE");
  if (mount("stage", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "size=256k,nr_inodes=300,mode=755") != 0)
    fail("mount tmpfs on " STAGE);
  make_folder(STAGE "/work", 0755);
  make_folder(STAGE "/tmp", 0755);
  make_folder(STAGE "/mounts", 0755);
  make_folder(STAGE "/etc", 0755);
  write_text(STAGE "/etc/passwd",
    "root:x:0:0::/nonexistent:/bin/false\nlearner:x:1000:1000::/work:/bin/sh\n"
    "nobody:x:65534:65534::/nonexistent:/bin/false\n");
  write_text(STAGE "/etc/group", "root:x:0:\nlearner:x:1000:\nnogroup:x:65534:\n");
  write_text(STAGE "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n");
  write_text(STAGE "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
  lend("/etc/alternatives", STAGE "/etc/alternatives");
  lend("/etc/ld.so.cache", STAGE "/etc/ld.so.cache");
  lend_java();
  /* Mounted by root: the job's user need not be able to pass through the folders on the way. By its path,
     because /proc/self/exe itself leads to the mount table that this process has just left. */
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length <= 0) fail("find the launcher");
  self[length] = '\0';
  write_text(STAGE "/init", "");
  if (mount(self, STAGE "/init", NULL, MS_BIND, NULL) != 0) fail("mount /init");
}

static void receive_job(int descriptors[job_descriptor_count]) {
  char letter = 0;
  struct iovec vector = {&letter, 1};
  union {
    char bytes[CMSG_SPACE(sizeof(int) * job_descriptor_count)];
    struct cmsghdr header;
  } control;
  struct msghdr message = {
    .msg_iov = &vector, .msg_iovlen = 1,
    .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
  };
  ssize_t count;
  do count = recvmsg(owner, &message, MSG_CMSG_CLOEXEC); while (count < 0 && errno == EINTR);
  if (count == 0) _exit(0); /* no job will come */
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (count != 1 || letter != message_job || header == NULL || header->cmsg_type != SCM_RIGHTS
      || header->cmsg_len != CMSG_LEN(sizeof(int) * job_descriptor_count)) {
    errno = EPROTO;
    fail("receive the job");
  }
  memcpy(descriptors, CMSG_DATA(header), sizeof(int) * job_descriptor_count);
}

static void mount_memory(const char *path, const struct request *request, uint64_t bytes,
                         uint64_t files) {
  char options[160];
  snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=755,uid=%u,gid=%u",
    (unsigned long long)bytes, (unsigned long long)files, request->uid, request->gid);
  if (mount("memory", path, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) fail(path);
}

/* Sources are mounted by root: the job's user need not be able to pass through the folders on the way. */
static void mount_source(const char *source, uint32_t index) {
  char path[64];
  struct stat information;
  snprintf(path, sizeof path, STAGE "/mounts/%u", index);
  if (stat(source, &information) != 0) fail(source);
  if (S_ISDIR(information.st_mode)) make_folder(path, 0755);
  else write_text(path, "");
  if (mount(source, path, NULL, MS_BIND | MS_REC, NULL) != 0) fail(source);
}

static void send_folders(void) {
  char letter = message_folders;
  struct iovec vector = {&letter, 1};
  int folders[2] = {
    open(STAGE "/work", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    open(STAGE "/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
  };
  union {
    char bytes[CMSG_SPACE(sizeof folders)];
    struct cmsghdr header;
  } control = {0};
  struct msghdr message = {
    .msg_iov = &vector, .msg_iovlen = 1,
    .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
  };
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof folders);
  memcpy(CMSG_DATA(header), folders, sizeof folders);
  if (folders[0] < 0 || folders[1] < 0 || sendmsg(owner, &message, MSG_NOSIGNAL) != 1)
    fail("send the folders");
  close(folders[0]);
  close(folders[1]);
}

/* From here on nothing is root's any more, and nothing can be again. */
static void become(const struct request *request) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct capabilities[2];
  uid_t uid = request->uid;
  gid_t gid = request->gid;
  errno = EINVAL;
  if (uid == 0 || gid == 0) fail("the user of a job must not be root");
  if (setgroups(0, NULL) != 0) fail("setgroups");
  if (setresgid(gid, gid, gid) != 0) fail("setresgid");
  if (setresuid(uid, uid, uid) != 0) fail("setresuid");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) fail("clear capabilities");
  memset(capabilities, 0, sizeof capabilities);
  if (syscall(SYS_capset, &header, capabilities) != 0) fail("capset");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("prctl PR_SET_NO_NEW_PRIVS");
  uid_t real, effective, saved;
  if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid || saved != uid
      || setuid(0) == 0) {
    errno = EPERM;
    fail("root was not given up");
  }
}

static void place(const int descriptors[job_descriptor_count]) {
  static const int order[] = {job_in, job_out, job_err, job_report, job_seccomp, job_work};
  static const int target[] = {0, 1, 2, fd_report, fd_seccomp, fd_work};
  enum { count = sizeof order / sizeof *order };
  int moved[count];
  int control = fcntl(owner, F_DUPFD_CLOEXEC, fd_first_free);
  if (control < 0) fail("dup");
  owner = control;
  for (int index = 0; index < count; index++) {
    moved[index] = fcntl(descriptors[order[index]], F_DUPFD_CLOEXEC, fd_first_free);
    if (moved[index] < 0) fail("dup");
  }
  for (int index = 0; index < count; index++)
    if (dup2(moved[index], target[index]) < 0) fail("dup2");
  if (dup2(control, fd_control) < 0) fail("dup2");
  /* Those that are copies now end at the exec. */
  if (syscall(SYS_close_range, 7u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */) != 0) fail("close_range");
}

static const struct request *map_request(int file, const char **at, const char **end) {
  const char *bytes = map_file(file, sizeof(struct request), end);
  errno = EPROTO;
  if (bytes == NULL) fail("map the job");
  const struct request *request = (const void *)bytes;
  if (request->magic != REQUEST_MAGIC) fail("the job is of another version");
  *at = bytes + sizeof *request;
  return request;
}

int launch(int count, char **arguments) {
  if (count < 1) return 64;
  pid_t parent = (pid_t)strtol(arguments[0], NULL, 10);
  die_with(parent);
  for (int index = 1; index < count; index++) join_group(arguments[index]);
  prepare();

  int descriptors[job_descriptor_count];
  const char *at, *end;
  receive_job(descriptors);
  const struct request *request = map_request(descriptors[job_request], &at, &end);
  /* Not before it has joined its groups: who holds the kernel's lock of those must not wait for a processor. */
  struct sched_param none = {0};
  if (request->gives_way && sched_setscheduler(0, SCHED_IDLE, &none) != 0) fail("sched_setscheduler");
  mount_memory(STAGE "/work", request, request->work_byte_count, request->work_file_count);
  mount_memory(STAGE "/tmp", request, request->tmp_byte_count, request->tmp_file_count);
  for (uint32_t index = 0; index < request->mount_count; index++) {
    const char *source = read_text(&at, end);
    errno = EPROTO;
    if (source == NULL) fail("read the mounts");
    mount_source(source, index);
  }
  send_folders();

  uint32_t argument_count = request->argument_count;
  char **command = calloc((size_t)argument_count + 1, sizeof *command);
  if (command == NULL) fail("calloc");
  for (uint32_t index = 0; index < argument_count; index++) {
    command[index] = (char *)read_text(&at, end);
    errno = EPROTO;
    if (command[index] == NULL) fail("read the arguments");
  }
  become(request);
  die_with(parent);
  umask(022);
  make_folder(STAGE "/tmp/tmp", 01777);
  make_folder(STAGE "/tmp/shm", 01777);
  if (chdir(STAGE "/work") != 0) fail("chdir");
  const char *failed = write_files(at, end, request->file_count);
  if (failed != NULL) fail(failed);
  if (chdir("/") != 0) fail("chdir");
  place(descriptors);
  char *environment[] = {NULL};
  execve(command[0], command, environment);
  fail("execute bubblewrap");
}
