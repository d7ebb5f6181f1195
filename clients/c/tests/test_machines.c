/* What decides and does nothing: the pool, retries, credit, timers, compression. */
#include "check.h"
#include "credit.h"
#include "deflate.h"
#include "pool_machine.h"
#include "retry.h"
#include "timer.h"
#include "utf8.h"

enum { MS = 1000 };

static struct hi_want wanted(bool waits) { return (struct hi_want){.waits = waits, .turn = HI_NO_TURN}; }

static struct hi_step place(struct hi_machine *machine, bool waits, int64_t now) {
  struct hi_want want = wanted(waits);
  return hi_machine_place(machine, &want, now);
}

/* Whether a place is to be dialled now, once. */
static bool dials(struct hi_machine *machine, size_t index) {
  bool is_to_dial = machine->places[index].is_to_dial;
  machine->places[index].is_to_dial = false;
  return is_to_dial;
}

static void check_pick_first(void) {
  struct hi_machine m;
  CHECK(hi_machine_init(&m, 2, false, 4));
  struct hi_step step = place(&m, false, 0);
  CHECK(step.kind == HI_WAIT && step.until == HI_HOLD_UP && dials(&m, 0) && !dials(&m, 1));
  /* The first says nothing for a quarter of a second. */
  step = place(&m, false, HI_HOLD_UP);
  CHECK(step.kind == HI_WAIT && !dials(&m, 0) && dials(&m, 1));
  CHECK(hi_machine_dialled(&m, 1, 7, 2, 300 * MS));
  step = place(&m, false, 300 * MS);
  CHECK(step.kind == HI_USE && step.number == 7);
  /* One that comes too late is not wanted. */
  CHECK(!hi_machine_dialled(&m, 0, 8, 2, 400 * MS));
  CHECK(place(&m, false, 400 * MS).number == 7);
  /* Full: another connection to the same. */
  step = place(&m, false, 400 * MS);
  CHECK(step.kind == HI_WAIT && dials(&m, 1));
  hi_machine_call_ended(&m, 7);
  CHECK(place(&m, false, 400 * MS).kind == HI_USE);
  hi_machine_free(&m);
}

static void check_unreachable(void) {
  struct hi_machine m;
  CHECK(hi_machine_init(&m, 1, false, 4));
  place(&m, false, 0);
  CHECK(dials(&m, 0));
  hi_machine_dial_failed(&m, 0, false, 10 * MS, 1.0);
  CHECK(place(&m, false, 10 * MS).kind == HI_FAIL);
  struct hi_step step = place(&m, true, 10 * MS);
  CHECK(step.kind == HI_WAIT && step.until == 60 * MS && !dials(&m, 0));
  CHECK(place(&m, true, 60 * MS).kind == HI_WAIT && dials(&m, 0));
  /* A certificate that is not trusted is not tried again, also not by who waits. */
  hi_machine_dial_failed(&m, 0, true, 70 * MS, 1.0);
  CHECK(place(&m, true, 70 * MS).kind == HI_FAIL);
  hi_machine_free(&m);
}

static void check_flapping(void) {
  struct hi_machine m;
  CHECK(hi_machine_init(&m, 1, false, 4));
  int64_t now = 0;
  int dialled = 0;
  for (; now < 1500 * MS; now += 5 * MS) {
    place(&m, true, now);
    if (!dials(&m, 0)) continue;
    dialled++;
    CHECK(hi_machine_dialled(&m, 0, dialled, 100, now));
    hi_machine_retired(&m, dialled, now, 0.5);
  }
  CHECK(dialled > 3 && dialled < 9);
  hi_machine_free(&m);
}

static void check_in_turn(void) {
  struct hi_machine m;
  CHECK(hi_machine_init(&m, 2, true, 4));
  CHECK(place(&m, false, 0).kind == HI_WAIT && dials(&m, 0) && dials(&m, 1));
  CHECK(hi_machine_dialled(&m, 0, 1, 100, 0) && hi_machine_dialled(&m, 1, 2, 100, 0));
  int first = place(&m, false, 0).number, second = place(&m, false, 0).number;
  CHECK(first + second == 3 && place(&m, false, 0).number == first);
  hi_machine_says(&m, 0, false);
  for (int i = 0; i < 4; i++) CHECK(place(&m, false, 0).number == 2);
  hi_machine_says(&m, 1, false);
  CHECK(place(&m, false, 0).kind == HI_USE);
  hi_machine_says(&m, 0, true);
  hi_machine_says(&m, 1, true);
  const int used[] = {1};
  CHECK(hi_machine_place_beside(&m, used, 1) == 2);
  hi_machine_free(&m);
}

static void check_retries(void) {
  CHECK(hi_backoff(0, 0) == 25 * MS && hi_backoff(0, 1) == 50 * MS);
  CHECK(hi_backoff(2, 1) == 200 * MS && hi_backoff(40, 1) == 5000 * MS);
  struct hi_pacer pacer = hi_pacer(100, 200);
  int64_t last = 0;
  for (int i = 0; i < 300; i++) last = hi_pacer_delay(&pacer, 1000 * MS);
  CHECK(last == 1000 * MS);
  pacer = hi_pacer(3, 200);
  int taken = 0;
  while (hi_pacer_take_now(&pacer, 0)) taken++;
  CHECK(taken == 3 && !hi_pacer_take_now(&pacer, 4 * MS) && hi_pacer_take_now(&pacer, 5 * MS));
}

static void check_credit(void) {
  struct hi_receive_window window = hi_receive_window(262144);
  CHECK(hi_received(&window, 262144) && !hi_received(&window, 1));
  CHECK(hi_consumed(&window, 65535) == 0 && hi_consumed(&window, 1) == 65536);
  window = hi_receive_window(1024);
  CHECK(hi_received(&window, 1) && hi_consumed(&window, 1) == 1);
  uint32_t available = 5;
  CHECK(hi_grant(&available, HI_CREDIT_MAX - 5) && !hi_grant(&available, 1));
}

static int64_t fired[64];
static size_t fired_count;

static void fire(void *owner) { fired[fired_count++] = ((struct hi_timer *)owner)->at; }

static void check_timers(void) {
  struct hi_timers timers = {0};
  struct hi_timer all[50];
  srand(3);
  for (size_t i = 0; i < 50; i++) {
    all[i] = (struct hi_timer){.fire = fire, .owner = &all[i]};
    CHECK(hi_timer_set(&timers, &all[i], rand() % 1000));
  }
  for (size_t i = 0; i < 50; i += 5) hi_timer_clear(&timers, &all[i]);
  for (size_t i = 1; i < 50; i += 10) CHECK(hi_timer_set(&timers, &all[i], rand() % 1000));
  CHECK(hi_timers_fire(&timers, 500) && hi_timers_fire(&timers, 1000) && fired_count == 40);
  for (size_t i = 1; i < fired_count; i++) CHECK(fired[i - 1] <= fired[i]);
  CHECK(hi_timers_next(&timers) == HI_NEVER);
  hi_timers_free(&timers);
}

static void check_deflate(void) {
  static uint8_t message[100000];
  for (size_t i = 0; i < sizeof message; i++) message[i] = (uint8_t)((size_t)"abcdefgh"[i % 8] + i / 997 % 5);
  size_t packed_size, size;
  uint8_t *packed = hi_pack(message, sizeof message, &packed_size), *again;
  CHECK(packed != NULL && packed_size < sizeof message);
  CHECK(hi_unpack(packed, packed_size, sizeof message, &again, &size) == NULL);
  CHECK(size == sizeof message && memcmp(again, message, size) == 0);
  free(again);
  CHECK(hi_unpack(packed, packed_size, sizeof message - 1, &again, &size) != NULL);
  CHECK(hi_unpack(packed, packed_size - 1, sizeof message, &again, &size) != NULL);
  packed[4]++;
  CHECK(hi_unpack(packed, packed_size, 1 << 20, &again, &size) != NULL);
  free(packed);
  CHECK(hi_pack(message, 4095, &packed_size) == NULL);
}

static void check_text(void) {
  char *text = hi_lenient_text((const uint8_t *)"a\0b\xff", 4);
  CHECK(strcmp(text, "a\xef\xbf\xbd" "b\xef\xbf\xbd") == 0);
  free(text);
}

int main(void) {
  check_pick_first();
  check_unreachable();
  check_flapping();
  check_in_turn();
  check_retries();
  check_credit();
  check_timers();
  check_deflate();
  check_text();
  return check_end("machines");
}
