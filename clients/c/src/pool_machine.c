#include "pool_machine.h"

#include <stdlib.h>

#include "retry.h"
#include "timer.h"

static const struct hi_step going_on = {.kind = HI_FAIL, .number = -1};

static struct hi_step wait_until(int64_t until) { return (struct hi_step){.kind = HI_WAIT, .until = until}; }

static bool has_room(const struct hi_link *link) { return link->calls < link->calls_max; }

static bool is_resting(const struct hi_place *place, int64_t now) { return now < place->rests_until; }

static struct hi_link *with_room(struct hi_place *place) {
  for (size_t i = 0; i < place->count; i++)
    if (has_room(&place->links[i])) return &place->links[i];
  return NULL;
}

static struct hi_link *find(struct hi_machine *machine, int number, struct hi_place **place) {
  for (size_t i = 0; i < machine->count; i++) {
    *place = &machine->places[i];
    for (size_t k = 0; k < (*place)->count; k++)
      if ((*place)->links[k].number == number) return &(*place)->links[k];
  }
  return NULL;
}

static void dial(struct hi_place *place, int64_t now) {
  place->is_dialling = place->is_to_dial = true;
  place->dialling_since = now;
}

static void rest(struct hi_place *place, int64_t now, double chance) {
  place->rests_until = now + hi_backoff(place->failures, chance);
  place->failures++;
}

static struct hi_step use(struct hi_link *link) {
  link->calls++;
  return (struct hi_step){.kind = HI_USE, .number = link->number};
}

/* Another connection to an address whose connections are full, where it may have one; when to look again. */
static int64_t dial_more(struct hi_machine *machine, struct hi_place *place, int64_t now) {
  if (place->count >= machine->links_max || place->is_dialling) return HI_NEVER;
  if (is_resting(place, now)) return place->rests_until;
  dial(place, now);
  return HI_NEVER;
}

/* Those of one kind, in the order in which they are asked. */
struct group {
  struct hi_machine *machine;
  size_t first;
  bool is_not_serving;
};

static struct hi_place *member(const struct group *group, size_t i) {
  struct hi_place *place = &group->machine->places[(group->first + i) % group->machine->count];
  return place->is_not_serving == group->is_not_serving ? place : NULL;
}

/* The first server that answers, and as long as it does. */
static struct hi_step first_of(const struct group *group, int64_t now) {
  struct hi_machine *machine = group->machine;
  for (size_t i = 0; i < machine->count; i++) {
    struct hi_place *place = member(group, i);
    if (place == NULL || place->count == 0) continue;
    machine->preferred = (size_t)(place - machine->places);
    struct hi_link *link = with_room(place);
    return link != NULL ? use(link) : wait_until(dial_more(machine, place, now));
  }
  for (size_t i = 0; i < machine->count; i++) {
    struct hi_place *place = member(group, i);
    if (place == NULL) continue;
    if (place->is_dialling) {
      if (now < place->dialling_since + HI_HOLD_UP) return wait_until(place->dialling_since + HI_HOLD_UP);
    } else if (!is_resting(place, now)) {
      dial(place, now);
      return wait_until(now + HI_HOLD_UP);
    }
  }
  return going_on;
}

/* All of them have no room: more connections, where there may be. */
static struct hi_step all_full(const struct group *group, int64_t now) {
  bool is_any = false;
  int64_t until = HI_NEVER;
  for (size_t i = 0; i < group->machine->count; i++) {
    struct hi_place *place = member(group, i);
    if (place == NULL || place->count == 0) continue;
    is_any = true;
    int64_t at = dial_more(group->machine, place, now);
    if (at < until) until = at;
  }
  return is_any ? wait_until(until) : going_on;
}

/* One server after the other. Those that do not answer are dialled beside. */
static struct hi_step next_of(const struct group *group, int64_t now) {
  struct hi_machine *machine = group->machine;
  for (size_t i = 0; i < machine->count; i++) {
    struct hi_place *place = member(group, i);
    if (place != NULL && place->count == 0 && !place->is_dialling && !is_resting(place, now)) dial(place, now);
  }
  for (size_t i = 0; i < machine->count; i++) {
    struct hi_place *place = member(group, i);
    if (place == NULL) continue;
    struct hi_link *link = with_room(place);
    if (link != NULL) return use(link);
    bool is_first = place->count == 0 && !place->is_unreachable && place->is_dialling;
    if (is_first && now < place->dialling_since + HI_HOLD_UP) return wait_until(place->dialling_since + HI_HOLD_UP);
  }
  return all_full(group, now);
}

/* A connection that was lost is made again by the call; a server that was not found is not waited for unless that is
 * asked for. */
static struct hi_step unreachable(const struct hi_machine *machine, const struct hi_want *want) {
  bool is_to_come = false;
  int64_t until = HI_NEVER;
  for (size_t i = 0; i < machine->count; i++) {
    const struct hi_place *place = &machine->places[i];
    is_to_come |= place->is_dialling || !place->is_unreachable || (want->waits && !place->is_untrusted);
    if (!place->is_dialling && place->rests_until > 0 && place->rests_until < until) until = place->rests_until;
  }
  return is_to_come ? wait_until(until) : (struct hi_step){.kind = HI_FAIL};
}

bool hi_machine_init(struct hi_machine *machine, size_t places, bool is_in_turn, size_t links_max) {
  *machine = (struct hi_machine){
      .places = calloc(places, sizeof *machine->places), .count = places, .is_in_turn = is_in_turn,
      .links_max = links_max};
  if (machine->places == NULL) return false;
  for (size_t i = 0; i < places; i++) {
    machine->places[i].links = calloc(links_max, sizeof *machine->places[i].links);
    if (machine->places[i].links == NULL) return false;
  }
  return true;
}

void hi_machine_free(struct hi_machine *machine) {
  if (machine->places == NULL) return;
  for (size_t i = 0; i < machine->count; i++) free(machine->places[i].links);
  free(machine->places);
  *machine = (struct hi_machine){0};
}

struct hi_step hi_machine_place(struct hi_machine *machine, struct hi_want *want, int64_t now) {
  size_t first = machine->preferred;
  if (machine->is_in_turn) {
    if (want->turn == HI_NO_TURN) {
      want->turn = (int)machine->turn;
      machine->turn = (machine->turn + 1) % machine->count;
    }
    first = (size_t)want->turn;
  }
  for (int kind = 0; kind < 2; kind++) {
    struct group group = {machine, first, kind == 1};
    struct hi_step step = machine->is_in_turn ? next_of(&group, now) : first_of(&group, now);
    if (step.kind != HI_FAIL) return step;
  }
  return unreachable(machine, want);
}

/* How bad a connection is for a copy: best to another address, else another connection, else the same. */
static int rank(const struct hi_place *place, int number, const int *used, size_t used_count) {
  int result = 0;
  for (size_t i = 0; i < used_count; i++) {
    if (used[i] == number) return 2;
    for (size_t k = 0; k < place->count; k++)
      if (place->links[k].number == used[i]) result = 1;
  }
  return result;
}

int hi_machine_place_beside(struct hi_machine *machine, const int *used, size_t used_count) {
  struct hi_link *best = NULL;
  int best_rank = 3;
  for (size_t i = 0; i < machine->count; i++) {
    struct hi_place *place = &machine->places[i];
    if (place->is_not_serving) continue;
    for (size_t k = 0; k < place->count; k++) {
      struct hi_link *link = &place->links[k];
      int its_rank = rank(place, link->number, used, used_count);
      if (!has_room(link) || its_rank >= best_rank) continue;
      best = link;
      best_rank = its_rank;
    }
  }
  return best == NULL ? -1 : use(best).number;
}

bool hi_machine_take(struct hi_machine *machine, int number) {
  struct hi_place *place;
  struct hi_link *link = find(machine, number, &place);
  if (link == NULL || !has_room(link)) return false;
  link->calls++;
  return true;
}

void hi_machine_call_ended(struct hi_machine *machine, int number) {
  struct hi_place *place;
  struct hi_link *link = find(machine, number, &place);
  if (link != NULL && link->calls > 0) link->calls--;
}

void hi_machine_served(struct hi_machine *machine, int number) {
  struct hi_place *place;
  struct hi_link *link = find(machine, number, &place);
  if (link == NULL) return;
  link->has_served = true;
  place->failures = 0;
}

bool hi_machine_dialled(struct hi_machine *machine, size_t index, int number, uint32_t calls_max, int64_t now) {
  struct hi_place *place = &machine->places[index];
  place->is_dialling = place->is_unreachable = place->is_untrusted = false;
  place->rests_until = 0;
  bool is_overtaken = false;
  for (size_t i = 0; i < machine->count; i++)
    is_overtaken |= i != index && machine->places[i].count > 0 && !machine->places[i].is_not_serving;
  bool is_late = !machine->is_in_turn && is_overtaken && place->count == 0;
  if (is_late || place->count >= machine->links_max) return false;
  place->links[place->count++] = (struct hi_link){.number = number, .calls_max = calls_max, .since = now};
  return true;
}

void hi_machine_dial_failed(struct hi_machine *machine, size_t index, bool is_untrusted, int64_t now, double chance) {
  struct hi_place *place = &machine->places[index];
  place->is_dialling = false;
  place->is_unreachable = true;
  place->is_untrusted = is_untrusted;
  rest(place, now, chance);
}

void hi_machine_retired(struct hi_machine *machine, int number, int64_t now, double chance) {
  struct hi_place *place;
  struct hi_link *link = find(machine, number, &place);
  if (link == NULL) return;
  /* A server that takes connections and drops them must not be stormed with them. */
  bool is_steady = link->has_served || link->since + HI_STEADY_AFTER <= now;
  *link = place->links[--place->count];
  if (place->count == 0) place->is_not_serving = false;
  if (is_steady)
    place->failures = 0;
  else
    rest(place, now, chance);
}

void hi_machine_says(struct hi_machine *machine, size_t index, bool is_serving) {
  struct hi_place *place = &machine->places[index];
  place->is_not_serving = !is_serving && place->count > 0;
}
