/* Chooses the connection of a call, and says when which address is dialled (clients/BEHAVIOUR.md, C1). Pure: it
 * neither dials nor waits, and time and chance are arguments. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  /* How long an address that says nothing holds up the next one. */
  HI_HOLD_UP = 250000,
  /* A connection that lasted so long was none of a server that falls over at once. */
  HI_STEADY_AFTER = 5000000,
  HI_NO_TURN = -1,
};

struct hi_link {
  int number;
  uint32_t calls, calls_max;
  int64_t since;
  bool has_served;
};

struct hi_place {
  struct hi_link *links;
  size_t count;
  bool is_dialling;
  int64_t dialling_since, rests_until;
  /* In a row. */
  unsigned failures;
  /* Whether the last attempt found no server, and whether it showed a certificate that is not trusted. */
  bool is_unreachable, is_untrusted;
  /* Whether it says of itself that it does not serve. */
  bool is_not_serving;
  /* Whether it is to be dialled, once. */
  bool is_to_dial;
};

struct hi_machine {
  struct hi_place *places;
  size_t count;
  bool is_in_turn;
  size_t links_max, preferred, turn;
};

/* What a call wants. */
struct hi_want {
  /* Whether it waits where no server can be reached. */
  bool waits;
  /* Its place in the round; HI_NO_TURN before it has one. */
  int turn;
};

enum hi_step_kind {
  /* The call goes to connection `number`; its place is taken, and given back by hi_machine_call_ended. */
  HI_USE,
  /* Ask again when something has changed, at the latest `until`. */
  HI_WAIT,
  /* No server can be reached. */
  HI_FAIL,
};

struct hi_step {
  enum hi_step_kind kind;
  int number;
  int64_t until;
};

bool hi_machine_init(struct hi_machine *machine, size_t places, bool is_in_turn, size_t links_max);
void hi_machine_free(struct hi_machine *machine);

/* Where a call goes; the places with `is_to_dial` are to be dialled after it. */
struct hi_step hi_machine_place(struct hi_machine *machine, struct hi_want *want, int64_t now);

/* A connection for a copy of a call that has those; -1 where none has room. Nothing is dialled for it. */
int hi_machine_place_beside(struct hi_machine *machine, const int *used, size_t used_count);

/* Takes a place on one connection, if it has one. */
bool hi_machine_take(struct hi_machine *machine, int number);
void hi_machine_call_ended(struct hi_machine *machine, int number);

/* The server has answered a call there. */
void hi_machine_served(struct hi_machine *machine, int number);

/* A server has answered; false where it is not wanted, as another one was faster. */
bool hi_machine_dialled(struct hi_machine *machine, size_t place, int number, uint32_t calls_max, int64_t now);
void hi_machine_dial_failed(struct hi_machine *machine, size_t place, bool is_untrusted, int64_t now, double chance);

/* A connection takes no more calls. */
void hi_machine_retired(struct hi_machine *machine, int number, int64_t now, double chance);

/* What the server at an address says of itself. */
void hi_machine_says(struct hi_machine *machine, size_t place, bool is_serving);
