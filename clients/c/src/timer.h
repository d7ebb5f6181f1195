/* Times at which something is to happen: a heap of timers that are parts of other structures. Times are microseconds
 * of the monotonic clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HI_NEVER INT64_MAX

struct hi_timer {
  int64_t at;
  /* Its place in the heap, from 1; 0: not set. */
  size_t place;
  void (*fire)(void *owner);
  void *owner;
};

struct hi_timers {
  struct hi_timer **heap;
  size_t count, capacity;
};

int64_t hi_now(void);

/* False without memory. HI_NEVER clears it. */
bool hi_timer_set(struct hi_timers *timers, struct hi_timer *timer, int64_t at);
void hi_timer_clear(struct hi_timers *timers, struct hi_timer *timer);

/* When the next one is due; HI_NEVER where none is. */
int64_t hi_timers_next(const struct hi_timers *timers);

/* Clears and fires what is due; whether there was any. */
bool hi_timers_fire(struct hi_timers *timers, int64_t now);
void hi_timers_free(struct hi_timers *timers);
