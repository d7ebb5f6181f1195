/* The two ends of a credit window (W9). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* What may still be sent. False where the sum is above its maximum. */
static inline bool hi_grant(uint32_t *available, uint32_t amount) {
  if (amount > (uint32_t)HI_CREDIT_MAX - *available) return false;
  *available += amount;
  return true;
}

/* What the peer may still send, and what is owed to it for bytes that were consumed. */
struct hi_receive_window {
  uint32_t available, owed, step;
};

/* In large steps: a CREDIT frame for each message would double the frames (W9.5). A small window goes back at once, so
 * that the server never lacks the credit for a fragment. */
static inline struct hi_receive_window hi_receive_window(uint32_t initial) {
  uint32_t step = initial / 4 > HI_FRAGMENT_MIN ? initial / 4 : HI_FRAGMENT_MIN;
  return (struct hi_receive_window){.available = initial, .step = initial >= 2 * HI_FRAGMENT_MIN ? step : 1};
}

static inline bool hi_received(struct hi_receive_window *window, uint32_t amount) {
  if (amount > window->available) return false;
  window->available -= amount;
  return true;
}

/* Takes note of bytes that no longer take room; returns the credit to grant now, or 0. */
static inline uint32_t hi_consumed(struct hi_receive_window *window, uint32_t amount) {
  window->owed += amount;
  if (window->owed < window->step) return 0;
  uint32_t granted = window->owed;
  window->owed = 0;
  window->available += granted;
  return granted;
}
