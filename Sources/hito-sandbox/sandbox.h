#ifndef HITO_SANDBOX_H
#define HITO_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* Descriptors of the command that the launcher executes, and of all up to the job's own command. */
enum { fd_report = 3, fd_control = 4, fd_seccomp = 5, fd_work = 6, fd_first_free = 10 };

/* Messages on the control socket, one datagram each: a letter and what follows it. */
enum {
  message_job = 'J',     /* to the launcher: the descriptors of a job */
  message_start = 'S',   /* to the first process: its work is there now (below) */
  message_folders = 'D', /* the descriptors of /work and /tmp */
  message_failed = 'F',  /* errno (int32), then in which step (text) */
  message_began = 'B',   /* the command is about to be executed */
  message_refused = 'X', /* errno (int32): it could not be */
  message_ended = 'E',   /* its wait status (int32) */
};

/* Begins the memory file that describes a job. After it: `mount_count` sources, `argument_count`
   arguments, `file_count` files. A text is its byte count (uint32), its bytes and a NUL; a file is its
   path (a text), its mode (uint32; 0 is a folder), its byte count (uint32) and its bytes. */
struct request {
  uint32_t magic;
  uint32_t uid, gid;
  uint32_t mount_count, argument_count, file_count;
  uint32_t gives_way; /* whether it runs when nobody else wants to, until the server says otherwise */
  uint32_t unused;
  uint64_t work_byte_count, work_file_count;
  uint64_t tmp_byte_count, tmp_file_count;
};
#define REQUEST_MAGIC 0x33425348u /* HSB3 */

/* A command that is started ahead of its job waits for its input; the job's files come at the end of that
   wait, in a memory file that is empty until then: their number (uint32), and the files as above. */

/* The folder that the private file system of a job is put together in. It is there on every Linux, and
   nothing in it is wanted: the mounts on it are seen by this job's processes alone. */
#define STAGE "/sys"

/* launch PARENT CGROUP.PROCS...: prepares a slot, waits for its job, becomes bubblewrap. */
int launch(int count, char **arguments);
/* init CONTROL REPORT NUMBER WORK LIMITS FOLDER COMMAND...: the first process of the sandbox. WORK is the
   descriptor of the files that come later, or -1. */
int init(int count, char **arguments);
/* probe WHAT: tries inside the sandbox what must not work. */
int probe(int count, char **arguments);

/* Writes the files of a job below the current folder. NULL, or what could not be done. */
const char *write_files(const char *at, const char *end, uint32_t count);
/* Maps a memory file of at least `least` bytes; NULL where that cannot be. */
const char *map_file(int file, size_t least, const char **end);
/* The longest message that says what failed. */
enum { failure_size = 128 };
/* Fills in a message of errno and the step that failed; returns its length. */
size_t failure(char message[failure_size], const char *step);
/* Reads a text of a request and moves `at` behind it; NULL where there is none. */
const char *read_text(const char **at, const char *end);
/* Copies a number out of a request and moves `at` behind it. */
int read_number(const char **at, const char *end, uint32_t *number);

#endif
