#pragma once
// What PostgresStore needs of libpq and epoll. The inline functions stand for what Swift cannot
// import: macros, a packed struct with a union, and a callback that throws its text away.
#include <libpq-fe.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/// Waits for events; the user value of the i-th goes to `values[i]`, its mask to `masks[i]`.
/// At most `capacity` (up to 64) are returned; the count is negative on an error (errno).
static inline int hito_epoll_wait(
    int epoll, uint64_t *values, uint32_t *masks, int capacity, int timeout_ms) {
  struct epoll_event events[64];
  int count = epoll_wait(epoll, events, capacity < 64 ? capacity : 64, timeout_ms);
  for (int i = 0; i < count; i++) {
    values[i] = events[i].data.u64;
    masks[i] = events[i].events;
  }
  return count;
}

/// Adds, changes or removes (`operation` is EPOLL_CTL_*) the interest in `descriptor`.
static inline int hito_epoll_control(
    int epoll, int operation, int descriptor, uint32_t mask, uint64_t value) {
  struct epoll_event event;
  event.events = mask;
  event.data.u64 = value;
  return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline uint32_t hito_epoll_in(void) { return EPOLLIN; }
static inline uint32_t hito_epoll_out(void) { return EPOLLOUT; }
static inline int hito_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int hito_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline void hito_pq_drop_notice(void *context, const char *message) {
  (void)context;
  (void)message;
}

/// Keeps libpq from printing the server's notices on standard error.
static inline void hito_pq_silence(PGconn *connection) {
  PQsetNoticeProcessor(connection, hito_pq_drop_notice, 0);
}

static inline char hito_diag_severity(void) { return PG_DIAG_SEVERITY_NONLOCALIZED; }
static inline char hito_diag_sqlstate(void) { return PG_DIAG_SQLSTATE; }
static inline char hito_diag_message(void) { return PG_DIAG_MESSAGE_PRIMARY; }
static inline char hito_diag_constraint(void) { return PG_DIAG_CONSTRAINT_NAME; }
