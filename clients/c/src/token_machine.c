#include "token_machine.h"

#include <string.h>

#include "retry.h"
#include "timer.h"
#include "utf8.h"

struct hi_token_machine hi_token_machine(void) {
  return (struct hi_token_machine){.rests_until = INT64_MIN, .reason = "the token provider has no token"};
}

enum hi_token_step hi_token_after(const struct hi_token_machine *machine, int64_t now) {
  return machine->current[0] != 0 && now < machine->valid_until ? HI_TOKEN_USE : HI_TOKEN_NONE;
}

enum hi_token_step hi_token_next(struct hi_token_machine *machine, int64_t now) {
  if (machine->current[0] != 0 && now < machine->renew_at) return HI_TOKEN_USE;
  if (machine->is_asking) return HI_TOKEN_WAIT;
  if (now < machine->rests_until) return hi_token_after(machine, now);
  machine->is_asking = true;
  return HI_TOKEN_ASK;
}

static struct hi_token_news rest(struct hi_token_machine *machine, const char *reason, int64_t now, double chance) {
  int64_t time = hi_backoff(machine->rests++, chance);
  machine->reason = reason;
  machine->rests_until = now + time;
  return (struct hi_token_news){HI_TOKEN_RESTS, time};
}

struct hi_token_news hi_token_failed(struct hi_token_machine *machine, const char *reason, int64_t now, double chance) {
  machine->is_asking = false;
  return rest(machine, reason, now, chance);
}

/* Why what the provider gave is of no use; NULL where it is. */
static const char *useless(const struct hi_token_machine *machine, const char *text, int64_t valid) {
  size_t size = text == NULL ? 0 : strnlen(text, HI_TOKEN_SIZE);
  if (size == 0 || size == HI_TOKEN_SIZE || !hi_is_text((const uint8_t *)text, size))
    return "the token provider gave what may not be sent";
  if (strcmp(text, machine->refused) == 0) return "the token provider gave the token that was refused";
  return valid > 0 ? NULL : "the token provider gave a token that is not valid any more";
}

struct hi_token_news hi_token_given(
    struct hi_token_machine *machine, const char *text, int64_t valid, int64_t now, double chance) {
  const char *reason = useless(machine, text, valid);
  if (reason != NULL) return hi_token_failed(machine, reason, now, chance);
  machine->is_asking = machine->is_proven = false;
  /* It may be the current one's own text. */
  memmove(machine->current, text, strlen(text) + 1);
  machine->valid_until = machine->renew_at = HI_NEVER;
  if (valid < HI_NEVER - now) {
    int64_t margin = valid / 10 < HI_TOKEN_MARGIN_MAX ? valid / 10 : HI_TOKEN_MARGIN_MAX;
    machine->valid_until = now + valid;
    machine->renew_at = machine->valid_until - margin;
  }
  return (struct hi_token_news){HI_TOKEN_REFRESHED, valid};
}

struct hi_token_news hi_token_refused(struct hi_token_machine *machine, const char *text, int64_t now, double chance) {
  if (machine->current[0] == 0 || strcmp(text, machine->current) != 0) return (struct hi_token_news){0};
  memcpy(machine->refused, machine->current, HI_TOKEN_SIZE);
  machine->current[0] = 0;
  machine->refusals = machine->is_proven ? 0 : machine->refusals + 1;
  if (machine->refusals < 2) return (struct hi_token_news){0};
  return rest(machine, "the server refuses the tokens of the provider", now, chance);
}

void hi_token_taken(struct hi_token_machine *machine, const char *text) {
  if (machine->is_proven || strcmp(text, machine->current) != 0) return;
  machine->is_proven = true;
  machine->refusals = machine->rests = 0;
}
