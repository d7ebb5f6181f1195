/* When to try again. Pure: time and chance are arguments; times are microseconds. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
  HI_BACKOFF_MIN = 50000,
  HI_BACKOFF_MAX = 5000000,
  /* The longest that a server can make a client wait. */
  HI_PUSHBACK_MAX = 60000000,
};

/* How long to wait after so many failures before the last: half is fixed, half is chance (0 to 1). */
int64_t hi_backoff(unsigned failures, double chance);

/* Spreads the repeats of all calls of a client: a burst is free, then so many a second (C2.3). */
struct hi_pacer {
  int64_t burst, interval, next_at;
};

struct hi_pacer hi_pacer(unsigned burst, unsigned per_second);

/* Books a repeat; how much later than planned it should happen. */
int64_t hi_pacer_delay(struct hi_pacer *pacer, int64_t now);

/* Books a repeat that is of use now or not at all; false where there is none left. */
bool hi_pacer_take_now(struct hi_pacer *pacer, int64_t now);

/* A number from 0 to 1 by chance. */
double hi_chance(void);
