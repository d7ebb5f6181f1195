#include "retry.h"

#include <openssl/rand.h>

int64_t hi_backoff(unsigned failures, double chance) {
  int64_t ceiling = failures > 7 ? HI_BACKOFF_MAX : (int64_t)HI_BACKOFF_MIN << failures;
  if (ceiling > HI_BACKOFF_MAX) ceiling = HI_BACKOFF_MAX;
  return (int64_t)((double)ceiling * (0.5 + 0.5 * chance));
}

struct hi_pacer hi_pacer(unsigned burst, unsigned per_second) {
  return (struct hi_pacer){
      .burst = burst < 1 ? 1 : burst, .interval = 1000000 / (per_second < 1 ? 1 : per_second), .next_at = INT64_MIN / 2};
}

/* What is not used for a while is there again, up to the burst. */
static int64_t from(const struct hi_pacer *pacer, int64_t now) {
  int64_t earliest = now - pacer->burst * pacer->interval;
  return pacer->next_at > earliest ? pacer->next_at : earliest;
}

int64_t hi_pacer_delay(struct hi_pacer *pacer, int64_t now) {
  pacer->next_at = from(pacer, now) + pacer->interval;
  return pacer->next_at > now ? pacer->next_at - now : 0;
}

bool hi_pacer_take_now(struct hi_pacer *pacer, int64_t now) {
  int64_t start = from(pacer, now);
  if (start + pacer->interval > now) return false;
  pacer->next_at = start + pacer->interval;
  return true;
}

double hi_chance(void) {
  uint32_t number = 0;
  if (RAND_bytes((unsigned char *)&number, sizeof number) != 1) return 0.5;
  return (double)number / UINT32_MAX;
}
