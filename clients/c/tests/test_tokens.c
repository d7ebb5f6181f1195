/* What decides about tokens, and how records are shown: without a server. */
#include "check.h"
#include "hito/hito.h"
#include "timer.h"
#include "token_machine.h"
#include "utf8.h"

static const int64_t MS = 1000, SECOND = 1000000;

static bool has(const struct hi_token_machine *m, const char *text) { return strcmp(m->current, text) == 0; }

static bool gives(struct hi_token_machine *m, const char *text, int64_t valid, int64_t now) {
  return hi_token_given(m, text, valid, now, 1).kind == HI_TOKEN_REFRESHED;
}

static void check_questions(void) {
  struct hi_token_machine m = hi_token_machine();
  CHECK(hi_token_next(&m, 0) == HI_TOKEN_ASK && hi_token_next(&m, 0) == HI_TOKEN_WAIT);
  CHECK(hi_token_after(&m, 0) == HI_TOKEN_NONE);
  struct hi_token_news news = hi_token_given(&m, "a", HI_NEVER, 0, 1);
  CHECK(news.kind == HI_TOKEN_REFRESHED && news.time == HI_NEVER);
  CHECK(hi_token_next(&m, HI_NEVER - 1) == HI_TOKEN_USE && has(&m, "a"));
  /* Another one was refused. */
  CHECK(hi_token_refused(&m, "b", 0, 1).kind == HI_TOKEN_NO_NEWS && hi_token_next(&m, 0) == HI_TOKEN_USE);
  CHECK(hi_token_refused(&m, "a", 0, 1).kind == HI_TOKEN_NO_NEWS && hi_token_next(&m, 0) == HI_TOKEN_ASK);
  /* The same again: it rests, and a call gets nothing. */
  news = hi_token_given(&m, "a", HI_NEVER, 0, 1);
  CHECK(news.kind == HI_TOKEN_RESTS && news.time == 50 * MS && strstr(m.reason, "that was refused") != NULL);
  CHECK(hi_token_next(&m, 50 * MS - 1) == HI_TOKEN_NONE && hi_token_next(&m, 50 * MS) == HI_TOKEN_ASK);
}

static void check_margin(void) {
  struct hi_token_machine m = hi_token_machine();
  CHECK(hi_token_next(&m, 0) == HI_TOKEN_ASK && gives(&m, "a", 1000 * SECOND, 0));
  CHECK(hi_token_next(&m, 989 * SECOND) == HI_TOKEN_USE && hi_token_next(&m, 990 * SECOND) == HI_TOKEN_ASK);
  /* In vain: it is used until it expires. */
  (void)hi_token_failed(&m, "gone", 990 * SECOND, 1);
  CHECK(hi_token_after(&m, 990 * SECOND) == HI_TOKEN_USE);
  CHECK(hi_token_next(&m, 990 * SECOND + 40 * MS) == HI_TOKEN_USE && has(&m, "a"));
  CHECK(hi_token_next(&m, 991 * SECOND) == HI_TOKEN_ASK && gives(&m, "b", 50 * SECOND, 991 * SECOND));
  /* A tenth is less than ten seconds. */
  CHECK(hi_token_next(&m, 1035 * SECOND) == HI_TOKEN_USE && hi_token_next(&m, 1036 * SECOND) == HI_TOKEN_ASK);
  (void)hi_token_failed(&m, "gone", 1036 * SECOND, 1);
  CHECK(hi_token_after(&m, 1041 * SECOND - 1) == HI_TOKEN_USE && hi_token_after(&m, 1041 * SECOND) == HI_TOKEN_NONE);
}

static void check_rests(void) {
  struct hi_token_machine m = hi_token_machine();
  int64_t now = 0, rests[] = {50, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
  for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
    CHECK(hi_token_next(&m, now) == HI_TOKEN_ASK && hi_token_failed(&m, "gone", now, 1).time == rests[i] * MS);
    CHECK(hi_token_next(&m, now += rests[i] * MS - 1) == HI_TOKEN_NONE);
    now++;
  }
  /* A new token alone begins nothing anew. */
  CHECK(hi_token_next(&m, now) == HI_TOKEN_ASK && gives(&m, "a", HI_NEVER, now));
  (void)hi_token_refused(&m, "a", now, 1);
  CHECK(hi_token_next(&m, now) == HI_TOKEN_ASK && gives(&m, "b", HI_NEVER, now));
  struct hi_token_news news = hi_token_refused(&m, "b", now, 1);
  CHECK(news.kind == HI_TOKEN_RESTS && news.time == 5 * SECOND && hi_token_next(&m, now) == HI_TOKEN_NONE);
  now += news.time;
  CHECK(hi_token_next(&m, now) == HI_TOKEN_ASK && gives(&m, "c", HI_NEVER, now));
  /* One under which a call had another answer does, and costs no rest when it is revoked. */
  hi_token_taken(&m, "b");
  hi_token_taken(&m, "c");
  CHECK(hi_token_refused(&m, "c", now, 1).kind == HI_TOKEN_NO_NEWS);
  CHECK(hi_token_next(&m, now) == HI_TOKEN_ASK && gives(&m, "d", HI_NEVER, now));
  (void)hi_token_refused(&m, "d", now, 1);
  CHECK(hi_token_next(&m, now) == HI_TOKEN_ASK && hi_token_failed(&m, "gone", now, 1).time == 50 * MS);
}

static void check_useless(void) {
  static char longest[HI_TOKEN_SIZE], too_long[HI_TOKEN_SIZE + 1];
  memset(longest, 'x', sizeof longest - 1);
  memset(too_long, 'x', sizeof too_long - 1);
  const char *texts[] = {NULL, "", too_long, "\xff", "\xed\xa0\x80"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct hi_token_machine m = hi_token_machine();
    CHECK(hi_token_next(&m, 0) == HI_TOKEN_ASK && !gives(&m, texts[i], HI_NEVER, 0));
    CHECK(!m.is_asking && hi_token_after(&m, 0) == HI_TOKEN_NONE && strstr(m.reason, "may not be sent") != NULL);
  }
  struct hi_token_machine m = hi_token_machine();
  CHECK(!gives(&m, "a", -1, 0) && !gives(&m, "a", 0, 0) && gives(&m, longest, HI_NEVER - 1, 0) && has(&m, longest));
  CHECK(hi_token_next(&m, 0) == HI_TOKEN_USE && gives(&m, m.current, 1, 0));
}

static void never(void *user, hito_token_request request) {
  (void)user;
  hito_token_fail(request);
  CHECK(false);
}

static void check_both(void) {
  hito_error *error = NULL;
  hito_client_options options = {.addresses = "a:1", .token = "a", .token_provider = never};
  CHECK(hito_client_new(&options, &error) == NULL && error->code == HITO_INVALID_ARGUMENT);
  CHECK(strstr(error->message, "not both") != NULL);
  hito_error_free(error);
}

static void check_shown(void) {
  char out[257 * 4];
  CHECK(strcmp(hi_shown(out, sizeof out, "a\n\x1b[31m\x7f", 256), "a\xef\xbf\xbd\xef\xbf\xbd[31m\xef\xbf\xbd") == 0);
  CHECK(strcmp(hi_shown(out, sizeof out, "\xc3\xb1\xe2\x80\xae\xff", 256), "\xc3\xb1\xef\xbf\xbd\xef\xbf\xbd") == 0);
  char many[4000] = "";
  for (int i = 0; i < 300; i++) strcat(many, "\xf0\x9f\x8c\xb1");
  CHECK(strlen(hi_shown(out, sizeof out, many, 256)) == 1024 && strlen(hi_shown(out, 9, many, 256)) == 8);
}

static void check_adapters(void) {
  const hito_log_field fields[] = {{"address", "a:1", 0}, {"rest_ms", NULL, 7}};
  const hito_log_record record = {HITO_LOG_WARNING, "connect_failed", "100%s wrong", fields, 2};
  CHECK(hito_log_get(&record, "rest_ms")->number == 7 && hito_log_get(&record, "other") == NULL);
  CHECK(strcmp(hito_log_get(&record, "address")->text, "a:1") == 0);
  FILE *file = tmpfile();
  char line[128] = "";
  hito_log_to_file(file, &record);
  rewind(file);
  CHECK(fgets(line, sizeof line, file) != NULL);
  CHECK(strcmp(line, "hito: warning: connect_failed: 100%s wrong\n") == 0);
  fclose(file);
  hito_log_to_syslog(NULL, &record);
}

int main(void) {
  check_questions();
  check_margin();
  check_rests();
  check_useless();
  check_both();
  check_shown();
  check_adapters();
  return check_end("tokens");
}
