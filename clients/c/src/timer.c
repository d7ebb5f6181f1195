#include "timer.h"

#include <stdlib.h>
#include <time.h>

int64_t hi_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void put(struct hi_timers *timers, size_t place, struct hi_timer *timer) {
  timers->heap[place] = timer;
  timer->place = place;
}

/* Moves a timer from `place`, which counts as empty, to where it belongs. */
static void settle(struct hi_timers *timers, size_t place, struct hi_timer *timer) {
  while (place > 1 && timer->at < timers->heap[place / 2]->at) {
    put(timers, place, timers->heap[place / 2]);
    place /= 2;
  }
  for (;;) {
    size_t child = place * 2;
    if (child > timers->count) break;
    if (child < timers->count && timers->heap[child + 1]->at < timers->heap[child]->at) child++;
    if (timer->at <= timers->heap[child]->at) break;
    put(timers, place, timers->heap[child]);
    place = child;
  }
  put(timers, place, timer);
}

bool hi_timer_set(struct hi_timers *timers, struct hi_timer *timer, int64_t at) {
  hi_timer_clear(timers, timer);
  if (at == HI_NEVER) return true;
  if (timers->count + 2 > timers->capacity) {
    size_t capacity = timers->capacity == 0 ? 16 : timers->capacity * 2;
    struct hi_timer **heap = realloc(timers->heap, capacity * sizeof *heap);
    if (heap == NULL) return false;
    timers->heap = heap;
    timers->capacity = capacity;
  }
  timer->at = at;
  timers->count++;
  settle(timers, timers->count, timer);
  return true;
}

void hi_timer_clear(struct hi_timers *timers, struct hi_timer *timer) {
  size_t place = timer->place;
  if (place == 0) return;
  timer->place = 0;
  struct hi_timer *last = timers->heap[timers->count--];
  if (last != timer) settle(timers, place, last);
}

int64_t hi_timers_next(const struct hi_timers *timers) {
  return timers->count == 0 ? HI_NEVER : timers->heap[1]->at;
}

bool hi_timers_fire(struct hi_timers *timers, int64_t now) {
  bool has_fired = false;
  while (timers->count > 0 && timers->heap[1]->at <= now) {
    struct hi_timer *timer = timers->heap[1];
    hi_timer_clear(timers, timer);
    timer->fire(timer->owner);
    has_fired = true;
  }
  return has_fired;
}

void hi_timers_free(struct hi_timers *timers) {
  free(timers->heap);
  *timers = (struct hi_timers){0};
}
