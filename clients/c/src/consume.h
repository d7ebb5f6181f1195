/* A consumer of a group, and what it holds. */
#pragma once

#include "call.h"
#include "hito/consume.h"

struct hito_delivery {
  /* NULL once the consumer is gone. */
  hito_consumer *consumer;
  hito_delivery *previous, *next, *next_arrived;
  Hito__V1__ConsumeResponse *response;
  bool is_held, is_settling;
  /* Asked for more time so often without an answer yet. */
  unsigned extending;
  hito_outcome outcome;
  struct hi_timer timer;
};

/* What is to be said of an event, when there is room to send. */
struct hi_settlement {
  struct hi_settlement *next;
  Hito__V1__SettleAction action;
  int64_t retry_after_us;
  char *event_id, *reason;
};

struct hito_consumer {
  hito_client *client;
  hito_call_options options;
  struct hi_said said;
  void (*on_ready)(hito_call *call, void *user);
  void *user;
  void (*told)(void *user, const hito_error *error);
  void *told_user;
  char *group, *name, *instance;
  int32_t buffer_size;
  bool lets_go, has_joined, is_closing, is_over;
  int64_t ack_timeout_us;
  /* NULL while it rests, and after its end. */
  hito_call *call;
  struct hi_timer timer;
  unsigned failures, interruptions;
  /* The token was refused, and no response has come since. */
  bool is_renewed;
  hito_error *error;
  /* All deliveries that are there, and those that nobody has taken. */
  hito_delivery *deliveries, *first_arrived, *last_arrived;
  struct hi_settlement *first, *last;
};

/* deliveries.c */
bool hi_delivery_add(hito_consumer *consumer, Hito__V1__ConsumeResponse *response);
/* Answers to settlements, in their order. */
void hi_deliveries_heard(hito_consumer *consumer, const Hito__V1__Settled *settled);
/* The connection is gone, and with it everything that it held. */
void hi_deliveries_lost(hito_consumer *consumer);
/* Takes those off that nobody has taken. */
void hi_deliveries_drop(hito_consumer *consumer);

/* consume.c */
bool hi_consumer_say(
    hito_consumer *consumer, const char *event_id, Hito__V1__SettleAction action, const char *reason,
    int64_t retry_after_us);
void hi_consumer_send(hito_consumer *consumer);
