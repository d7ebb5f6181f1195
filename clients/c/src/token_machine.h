/* Which token a call has, and when the provider is asked for another (clients/BEHAVIOUR.md, C5.8). Pure: it asks nobody and
 * waits for nothing; time and chance are arguments.
 *
 *   none --asked--> current --refused--> none --asked--> current
 *                     +--margin: asked again, current until then
 *   asked in vain, or two tokens in a row refused: rests, and nobody asks */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
  /* Of a token with its NUL. */
  HI_TOKEN_SIZE = 257,
  HI_TOKEN_MARGIN_MAX = 10000000,
};

struct hi_token_machine {
  /* Empty where there is none. */
  char current[HI_TOKEN_SIZE], refused[HI_TOKEN_SIZE];
  int64_t valid_until, renew_at, rests_until;
  /* Whether a call under the current one had another answer than that it is refused. */
  bool is_proven;
  bool is_asking;
  /* Unproven tokens that were refused, in a row; rests since a token was proven. */
  unsigned refusals, rests;
  /* Why there is no token. */
  const char *reason;
};

enum hi_token_step {
  /* The current one. */
  HI_TOKEN_USE,
  /* The question begins with this call, which waits for it. */
  HI_TOKEN_ASK,
  /* There is a question; look again with hi_token_after when it has ended. */
  HI_TOKEN_WAIT,
  HI_TOKEN_NONE,
};

/* What of it is worth a record. */
struct hi_token_news {
  enum { HI_TOKEN_NO_NEWS, HI_TOKEN_REFRESHED, HI_TOKEN_RESTS } kind;
  /* For how long it is valid (HI_NEVER: not said), or rests. */
  int64_t time;
};

struct hi_token_machine hi_token_machine(void);

/* A call needs a token. */
enum hi_token_step hi_token_next(struct hi_token_machine *machine, int64_t now);

/* A call has waited for a question, and does not wait for another: USE or NONE. */
enum hi_token_step hi_token_after(const struct hi_token_machine *machine, int64_t now);

/* The provider gave this, valid for so long from now; HI_NEVER: not said. */
struct hi_token_news hi_token_given(
    struct hi_token_machine *machine, const char *text, int64_t valid, int64_t now, double chance);

/* The question was in vain. The reason must last. */
struct hi_token_news hi_token_failed(struct hi_token_machine *machine, const char *reason, int64_t now, double chance);

/* The server did not take a token. An older one than the current does not matter. */
struct hi_token_news hi_token_refused(struct hi_token_machine *machine, const char *text, int64_t now, double chance);

/* The server answered a call under a token. */
void hi_token_taken(struct hi_token_machine *machine, const char *text);
