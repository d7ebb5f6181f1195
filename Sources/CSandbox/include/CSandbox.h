#ifndef C_SANDBOX_H
#define C_SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

/* What Linux offers and the C library has no function for, or one that Swift does not import. All return
   -1 with errno where they fail; every descriptor that they make is closed on exec. */

/* A connected pair of datagram sockets. */
int hsb_socket_pair(int sockets[2]);
/* A pipe, of which the end `ours` (0 reads, 1 writes) never waits. */
int hsb_pipe(int ends[2], int ours);
/* Starts `path` with `socket` as its descriptor 3, /dev/null as its standard ones, no other descriptor, an
   empty environment, and signals as they are by default. Returns its process id. */
pid_t hsb_spawn(const char *path, char *const arguments[], int socket);
/* Sends `letter` with descriptors, which stay the caller's. 0, or -1. */
int hsb_send(int socket, char letter, const int *descriptors, size_t count);
/* Sends `letter` alone. 0, or -1. */
int hsb_notify(int socket, char letter);
/* Receives one message without waiting. The descriptors in it become the caller's; `*count` is how many
   there may be, and then how many there are. Returns its bytes, 0 at the end. */
ssize_t hsb_receive(int socket, char *bytes, size_t size, int *descriptors, size_t *count);
/* An empty file in memory. */
int hsb_memory_file(void);
/* A file in memory that holds `size` bytes, which nobody can change any more, open for reading. */
int hsb_sealed_file(const void *bytes, size_t size);
/* A descriptor for a process; readable once it has ended. */
int hsb_process(pid_t process);
int hsb_signal(int process, int signal);
/* Whether hsb_take_turn may be used: it needs CAP_SYS_NICE. */
int hsb_may_take_turn(void);
/* Has a thread that gave way to all others, and what it starts from now on, run as others do. */
void hsb_take_turn(pid_t thread);
/* A descriptor that becomes readable by hsb_ring. */
int hsb_bell(void);
void hsb_ring(int bell);
/* Opens a plain file below `folder` for reading, through no link of any kind and never out of the folder;
   does not wait (a pipe). EFTYPE does not exist here: what is no plain file gives EINVAL. `*size` is its
   size. */
int hsb_open_below(int folder, const char *path, long long *size, uid_t *owner);
/* How much room is left below `folder`: bytes and files. */
int hsb_room(int folder, unsigned long long *bytes, unsigned long long *files);
/* Takes the lock of an open folder, or fails with EWOULDBLOCK: it lasts as long as the descriptor. */
int hsb_lock(int folder);

#endif
