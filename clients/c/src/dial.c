/* A socket to a host: its addresses are tried one after the other, each a quarter of a second ahead of the next (C1.1). */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

enum { ATTEMPTS_MAX = 16, NEXT_AFTER = 250000 };

struct hi_dial {
  struct {
    struct sockaddr_storage address;
    socklen_t size;
    int fd;
  } attempts[ATTEMPTS_MAX];
  size_t count, begun, running;
  int64_t next_at;
  int failure;
};

static bool add(struct hi_dial *dial, const struct addrinfo *found) {
  if (dial->count == ATTEMPTS_MAX || found->ai_addrlen > sizeof(struct sockaddr_storage)) return false;
  memcpy(&dial->attempts[dial->count].address, found->ai_addr, found->ai_addrlen);
  dial->attempts[dial->count].size = found->ai_addrlen;
  dial->attempts[dial->count].fd = -1;
  dial->count++;
  return true;
}

/* The families in turn, beginning with that of the first: one that is broken does not hold up the other. */
static void take_addresses(struct hi_dial *dial, const struct addrinfo *list) {
  const struct addrinfo *same = list, *other = list;
  int first = list->ai_family;
  while (same != NULL || other != NULL) {
    while (same != NULL && same->ai_family != first) same = same->ai_next;
    if (same != NULL) {
      add(dial, same);
      same = same->ai_next;
    }
    while (other != NULL && other->ai_family == first) other = other->ai_next;
    if (other != NULL) {
      add(dial, other);
      other = other->ai_next;
    }
  }
}

static int resolve(hito_client *client, const struct hi_address *address, struct hi_dial *dial) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *list = NULL;
  int failed = getaddrinfo(address->host, address->port, &hints, &list);
  bool is_custom = failed != 0 && client->options.resolve != NULL;
  if (is_custom) {
    failed = client->options.resolve(client->options.resolve_user, address->host, address->port, &list);
  } else if (failed != 0) {
    hints.ai_flags = AI_NUMERICSERV;
    failed = getaddrinfo(address->host, address->port, &hints, &list);
  }
  if (failed != 0) return failed;
  if (list != NULL) take_addresses(dial, list);
  if (is_custom && client->options.release != NULL)
    client->options.release(client->options.resolve_user, list);
  else if (!is_custom)
    freeaddrinfo(list);
  return dial->count > 0 ? 0 : EAI_NONAME;
}

struct hi_dial *hi_dial_begin(hito_client *client, const struct hi_address *address, char **why) {
  struct hi_dial *dial = calloc(1, sizeof *dial);
  if (dial == NULL) return NULL;
  int failed = resolve(client, address, dial);
  if (failed == 0) return dial;
  *why = hi_copy_text(gai_strerror(failed));
  free(dial);
  return NULL;
}

static int open_socket(int family) {
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
#ifdef SO_NOSIGPIPE
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) return fd;
  close(fd);
  return -1;
}

static void begin_next(struct hi_dial *dial, int64_t now) {
  size_t i = dial->begun++;
  dial->next_at = now + NEXT_AFTER;
  int fd = open_socket(dial->attempts[i].address.ss_family);
  if (fd >= 0) {
    const struct sockaddr *address = (const struct sockaddr *)&dial->attempts[i].address;
    if (connect(fd, address, dial->attempts[i].size) == 0 || errno == EINPROGRESS) {
      dial->attempts[i].fd = fd;
      dial->running++;
      return;
    }
    dial->failure = errno;
    close(fd);
  } else {
    dial->failure = errno;
  }
  dial->next_at = now;
}

/* Whether a socket is connected; one that is not going to be is closed. */
static bool is_connected(struct hi_dial *dial, size_t i, int64_t now) {
  struct pollfd ready = {.fd = dial->attempts[i].fd, .events = POLLOUT};
  int failure = 0;
  socklen_t size = sizeof failure;
  if (poll(&ready, 1, 0) <= 0) return false;
  if (getsockopt(ready.fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 && failure == 0) return true;
  dial->failure = failure;
  dial->attempts[i].fd = -1;
  dial->running--;
  dial->next_at = now;
  close(ready.fd);
  return false;
}

int hi_dial_step(struct hi_dial *dial, int64_t now, char **why) {
  for (size_t i = 0; i < dial->begun; i++) {
    if (dial->attempts[i].fd < 0 || !is_connected(dial, i, now)) continue;
    int fd = dial->attempts[i].fd;
    dial->attempts[i].fd = -1;
    return fd;
  }
  while (dial->begun < dial->count && (dial->running == 0 || now >= dial->next_at)) begin_next(dial, now);
  if (dial->running > 0) return -1;
  *why = hi_copy_text(strerror(dial->failure));
  return -2;
}

size_t hi_dial_fds(const struct hi_dial *dial, struct pollfd *fds, size_t capacity) {
  size_t count = 0;
  for (size_t i = 0; i < dial->begun; i++) {
    if (dial->attempts[i].fd < 0) continue;
    if (count < capacity) fds[count] = (struct pollfd){.fd = dial->attempts[i].fd, .events = POLLOUT};
    count++;
  }
  return count;
}

int64_t hi_dial_next(const struct hi_dial *dial) { return dial->begun < dial->count ? dial->next_at : HI_NEVER; }

void hi_dial_free(struct hi_dial *dial) {
  if (dial == NULL) return;
  for (size_t i = 0; i < dial->begun; i++)
    if (dial->attempts[i].fd >= 0) close(dial->attempts[i].fd);
  free(dial);
}
