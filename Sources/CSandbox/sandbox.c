#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { descriptor_count_max = 8 };

int hsb_socket_pair(int sockets[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets);
}

int hsb_pipe(int ends[2], int ours) {
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  return fcntl(ends[ours], F_SETFL, O_NONBLOCK);
}

pid_t hsb_spawn(const char *path, char *const arguments[], int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t signals;
  char *environment[] = {NULL};
  pid_t process = -1;
  int status = posix_spawn_file_actions_init(&actions);
  if (status != 0) return errno = status, -1;
  status = posix_spawnattr_init(&attributes);
  if (status == 0) {
    /* First the socket: its number may be one of those that are opened. */
    status = posix_spawn_file_actions_adddup2(&actions, socket, 3);
    for (int file = 0; file < 3 && status == 0; file++)
      status = posix_spawn_file_actions_addopen(&actions, file, "/dev/null", O_RDWR, 0);
    if (status == 0) status = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    sigemptyset(&signals);
    if (status == 0) status = posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    if (status == 0) status = posix_spawnattr_setsigdefault(&attributes, &signals);
    if (status == 0)
      status = posix_spawnattr_setflags(&attributes,
        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    if (status == 0) status = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  if (status != 0) return errno = status, -1;
  return process;
}

union control {
  char bytes[CMSG_SPACE(sizeof(int) * descriptor_count_max)];
  struct cmsghdr header;
};

int hsb_send(int socket, char letter, const int *descriptors, size_t count) {
  if (count == 0 || count > descriptor_count_max) return errno = EINVAL, -1;
  struct iovec vector = {&letter, 1};
  union control control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {
    .msg_iov = &vector, .msg_iovlen = 1,
    .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(sizeof(int) * count),
  };
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int) * count);
  memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

ssize_t hsb_receive(int socket, char *bytes, size_t size, int *descriptors, size_t *count) {
  struct iovec vector = {bytes, size};
  union control control;
  struct msghdr message = {
    .msg_iov = &vector, .msg_iovlen = 1,
    .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
  };
  size_t room = *count;
  *count = 0;
  ssize_t received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (received < 0) return -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t sent = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < sent; index++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
      if (*count < room) descriptors[(*count)++] = descriptor;
      else close(descriptor);
    }
  }
  return received;
}

int hsb_notify(int socket, char letter) {
  return send(socket, &letter, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -1;
}

int hsb_memory_file(void) { return memfd_create("hito", MFD_CLOEXEC); }

int hsb_sealed_file(const void *bytes, size_t size) {
  int file = memfd_create("hito", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (file < 0) return -1;
  const char *at = bytes;
  size_t left = size;
  while (left > 0) {
    ssize_t written = write(file, at, left);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) goto failed;
    at += written;
    left -= (size_t)written;
  }
  if (fcntl(file, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0
      || lseek(file, 0, SEEK_SET) != 0)
    goto failed;
  return file;
failed:;
  int error = errno;
  close(file);
  errno = error;
  return -1;
}

int hsb_process(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int hsb_signal(int process, int signal) {
  return (int)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0);
}

int hsb_may_take_turn(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return (data[0].effective >> CAP_SYS_NICE & 1) != 0;
}

void hsb_take_turn(pid_t thread) {
  struct sched_param none = {0};
  if (sched_getscheduler(thread) == SCHED_IDLE) (void)sched_setscheduler(thread, SCHED_OTHER, &none);
}

int hsb_bell(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

void hsb_ring(int bell) { (void)!eventfd_write(bell, 1); }

int hsb_open_below(int folder, const char *path, long long *size, uid_t *owner) {
  struct open_how how = {
    .flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
  };
  struct stat information;
  int file = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
  if (file < 0) return -1;
  if (fstat(file, &information) != 0 || !S_ISREG(information.st_mode)) {
    close(file);
    return errno = EINVAL, -1;
  }
  *size = information.st_size;
  *owner = information.st_uid;
  return file;
}

int hsb_room(int folder, unsigned long long *bytes, unsigned long long *files) {
  struct statfs information;
  if (fstatfs(folder, &information) != 0) return -1;
  *bytes = (unsigned long long)information.f_bavail * (unsigned long long)information.f_bsize;
  *files = information.f_ffree;
  return 0;
}

int hsb_lock(int folder) { return flock(folder, LOCK_EX | LOCK_NB); }
