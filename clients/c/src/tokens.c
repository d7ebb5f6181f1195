/* The tokens of a client that has a provider of them: asks it, one question at a time, and has calls wait for the answer.
 * The machine decides. */
#include <string.h>

#include "call.h"

static struct hi_token_machine *machine_of(hito_client *client) { return &client->tokens.machine; }

/* Those that wait look again. */
static void wake(hito_client *client) {
  for (hito_call *call = client->calls; call != NULL; call = call->next)
    if (call->state == HI_ASKING) hi_call_touch(call);
  client->has_moved = true;
}

static void ended(hito_client *client, struct hi_token_news news) {
  hi_timer_clear(&client->timers, &client->tokens.timer);
  hi_log_token(client, &news);
  wake(client);
}

static void failed(hito_client *client, const char *reason) {
  client->tokens.is_to_ask = false;
  ended(client, hi_token_failed(machine_of(client), reason, client->now, hi_chance()));
}

static const char late[] = "the token provider did not answer in time";

static void too_late(void *owner) { failed(owner, late); }

void hi_tokens_init(hito_client *client) {
  client->tokens.machine = hi_token_machine();
  client->tokens.timer = (struct hi_timer){.fire = too_late, .owner = client};
}

void hi_tokens_close(hito_client *client) {
  hi_timer_clear(&client->timers, &client->tokens.timer);
  client->tokens.is_to_ask = machine_of(client)->is_asking = false;
}

/* The provider is asked in hi_tokens_settle, where nothing else is at work. */
static void begin_question(hito_client *client) {
  struct hi_tokens *tokens = &client->tokens;
  tokens->question++;
  tokens->is_to_ask = client->has_moved = true;
  if (!hi_timer_set(&client->timers, &tokens->timer, client->now + client->options.token_timeout_ms * 1000))
    failed(client, "no memory");
}

bool hi_tokens_settle(hito_client *client) {
  struct hi_tokens *tokens = &client->tokens;
  if (!tokens->is_to_ask) return false;
  tokens->is_to_ask = false;
  /* A provider that waited by polling the client would wait for itself. */
  bool was_polling = client->is_polling;
  client->is_polling = true;
  client->options.token_provider(client->options.token_user, (hito_token_request){client, tokens->question});
  client->is_polling = was_polling;
  client->now = hi_now();
  return true;
}

/* Whether the question is still open. */
static bool is_awaited(hito_token_request request) {
  hito_client *client = request.client;
  client->now = hi_now();
  if (!machine_of(client)->is_asking || request.number != client->tokens.question) return false;
  /* One that blocked has kept its timer from firing. */
  if (client->now < client->tokens.timer.at) return true;
  failed(client, late);
  return false;
}

void hito_token_give(hito_token_request request, const char *token, int64_t valid_ms) {
  hito_client *client = request.client;
  if (!is_awaited(request)) return;
  int64_t valid = valid_ms == 0 || valid_ms >= HI_NEVER / 1000 ? HI_NEVER : valid_ms < 0 ? -1 : valid_ms * 1000;
  ended(client, hi_token_given(machine_of(client), token, valid, client->now, hi_chance()));
}

void hito_token_fail(hito_token_request request) {
  if (is_awaited(request)) failed(request.client, "the token provider failed");
}

/* Calls */

/* Whether the provider's tokens are this call's. */
static bool is_provided(const hito_call *call) {
  return call->client->options.token_provider != NULL && call->said.token == NULL;
}

static enum hi_token_step look(hito_call *call) {
  hito_client *client = call->client;
  struct hi_tokens *tokens = &client->tokens;
  bool has_waited = call->question != 0;
  if (has_waited && tokens->machine.is_asking && call->question == tokens->question) return HI_TOKEN_WAIT;
  enum hi_token_step step =
      has_waited ? hi_token_after(&tokens->machine, client->now) : hi_token_next(&tokens->machine, client->now);
  if (step == HI_TOKEN_ASK) begin_question(client);
  call->question = step == HI_TOKEN_ASK || step == HI_TOKEN_WAIT ? tokens->question : 0;
  return step;
}

bool hi_call_takes_token(hito_call *call) {
  if (!is_provided(call)) return true;
  hito_client *client = call->client;
  switch (look(call)) {
    case HI_TOKEN_ASK: case HI_TOKEN_WAIT: return false;
    case HI_TOKEN_USE:
      if (client->now < call->deadline) {
        memcpy(call->token, client->tokens.machine.current, HI_TOKEN_SIZE);
        return true;
      }
      /* A provider that blocked took its time. */
      hi_call_too_late(call);
      return false;
    default: break;
  }
  hito_error *refusal = call->refusal;
  call->refusal = NULL;
  if (refusal == NULL) refusal = hi_error(HITO_UNAUTHENTICATED, true, "%s", client->tokens.machine.reason);
  hi_call_end(call, refusal);
  return false;
}

const char *hi_call_token(const hito_call *call) { return is_provided(call) ? call->token : call->said.token; }

static bool is_refusal(const hito_error *error) { return error->from_server && error->code == HITO_UNAUTHENTICATED; }

bool hi_call_answered(hito_call *call, const hito_error *error) {
  if (!is_provided(call) || (error != NULL && !error->from_server)) return false;
  hito_client *client = call->client;
  if (error == NULL || !is_refusal(error)) {
    hi_token_taken(machine_of(client), call->token);
    return false;
  }
  struct hi_token_news news = hi_token_refused(machine_of(client), call->token, client->now, hi_chance());
  hi_log_token(client, &news);
  bool may_repeat =
      call->method->kind == HITO_UNARY || (call->method->kind == HITO_SERVER_STREAM && !call->is_begun);
  if (!may_repeat || call->refusal != NULL) return false;
  call->refusal = hi_error_copy(error);
  return true;
}

bool hi_call_lost_token(const hito_call *call) {
  return call->client != NULL && is_provided(call) && call->error != NULL && is_refusal(call->error);
}
