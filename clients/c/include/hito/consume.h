/* Consumers of groups: processes that share events, each of which comes to one of them at least once. They reconnect by
 * themselves; what was not settled comes again then. */
#pragma once

#include "hito/call.h"
#include "hito/v1/events.pb-c.h"

HITO_BEGIN_DECLS

/** A consumer of a group. Used by the thread that uses its client, and freed before it. */
typedef struct hito_consumer hito_consumer;

/** An event in the hands of a consumer, which has to say what becomes of it. */
typedef struct hito_delivery hito_delivery;

typedef struct hito_consumer_options {
  const char *group;
  /** Its name, which no other consumer of the group may have; made by the server where it is NULL. */
  const char *consumer;
  /** How many events it has at a time; the server's usual number where 0. */
  int32_t buffer_size;
  /** Otherwise an event is kept for as long as its delivery is there and not settled, if the client is polled. With it,
   * what is not settled in the group's time goes to another consumer. */
  bool lets_go;
} hito_consumer_options;

/** Begins to consume. Of the options, `timeout_ms` and the key have no effect; `on_ready` is called with NULL. */
HITO_API hito_consumer *hito_consumer_begin(
    hito_client *client, const hito_consumer_options *consumer, const hito_call_options *options, hito_error **error);

/** Is told of each interruption, with why; the error is the library's. */
HITO_API void hito_consumer_on_interruption(
    hito_consumer *consumer, void (*told)(void *user, const hito_error *error), void *user);

/** The next event if it is there; never waits. END after hito_consumer_close, once the server has answered everything. */
HITO_API hito_step hito_consumer_take(hito_consumer *consumer, hito_delivery **delivery, hito_error **error);

/** The same, but waits for it. */
HITO_API hito_step hito_consumer_next(hito_consumer *consumer, hito_delivery **delivery, hito_error **error);

/** Its name in the group; known from the first event on, where the server makes one. */
HITO_API const char *hito_consumer_name(const hito_consumer *consumer);

/** Takes no more events, and gives back what is not settled. */
HITO_API void hito_consumer_close(hito_consumer *consumer);

/** Ends it at once. NULL is nothing to free. */
HITO_API void hito_consumer_free(hito_consumer *consumer);

HITO_API const Hito__V1__Event *hito_delivery_event(const hito_delivery *delivery);

/** From 1. */
HITO_API int hito_delivery_attempt(const hito_delivery *delivery);

/** Whether nothing was heard yet of another consumer having the event. Where it is false, work on it should end. */
HITO_API bool hito_delivery_is_held(const hito_delivery *delivery);

typedef enum hito_outcome {
  /** The server has not answered yet, or was not asked. */
  HITO_OUTCOME_OPEN,
  /** The server has it on disk. */
  HITO_OUTCOME_SETTLED,
  /** The consumer does not have the event any more; it comes again, to this or another one. */
  HITO_OUTCOME_LOST,
} hito_outcome;

/** Says what becomes of the event, and waits for nothing. `reason` (of RETRY and PARK; may be NULL) is for people,
 * `retry_after_us` (of RETRY) is as the group says where 0. False where the event is not held, or settled already. */
HITO_API bool hito_delivery_settle(
    hito_delivery *delivery, Hito__V1__SettleAction action, const char *reason, int64_t retry_after_us);

/** What the server answered. */
HITO_API hito_outcome hito_delivery_outcome(const hito_delivery *delivery);

/** Done: says so and waits for the answer. True once the server has it on disk. */
HITO_API bool hito_delivery_ack(hito_delivery *delivery);

/** Frees it. An event that is not settled is let go of, and comes again in time. */
HITO_API void hito_delivery_free(hito_delivery *delivery);

HITO_END_DECLS
