/* Records of what happens (C5.9). Nothing is written where nobody listens. */
#include "hito/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "call.h"
#include "utf8.h"

enum { FIELDS_MAX = 6, CHARACTERS_MAX = 256, SHOWN_SIZE = CHARACTERS_MAX * 4 + 1, ADDRESS_SIZE = 300 };

#define COUNT(fields) (sizeof(fields) / sizeof *(fields))

static bool listens(const hito_client *client) { return client->options.log != NULL; }

/* Gives the record with its texts as they may be shown. */
static void tell(
    const hito_client *client, hito_log_level level, const char *event, const hito_log_field *fields, size_t count,
    const char *format, ...) __attribute__((format(printf, 6, 7)));

static void tell(
    const hito_client *client, hito_log_level level, const char *event, const hito_log_field *fields, size_t count,
    const char *format, ...) {
  char sentence[SHOWN_SIZE + ADDRESS_SIZE], shown[FIELDS_MAX + 1][SHOWN_SIZE];
  hito_log_field given[FIELDS_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  for (size_t i = 0; i < count; i++) {
    given[i] = fields[i];
    if (given[i].text != NULL) given[i].text = hi_shown(shown[i], SHOWN_SIZE, given[i].text, CHARACTERS_MAX);
  }
  const hito_log_record record = {
      level, event, hi_shown(shown[count], SHOWN_SIZE, sentence, CHARACTERS_MAX), given, count};
  client->options.log(client->options.log_user, &record);
}

static long long milliseconds(int64_t time) { return (long long)((time + 500) / 1000); }

static long long since(const hito_client *client, int64_t began_at) { return milliseconds(client->now - began_at); }

/* Connections */

static const char *address_of(const struct hi_connection *connection, char *text) {
  const struct hi_address *address = &connection->client->pool.addresses[connection->place];
  bool is_numeric = strchr(address->host, ':') != NULL;
  snprintf(text, ADDRESS_SIZE, is_numeric ? "[%s]:%s" : "%s:%s", address->host, address->port);
  return text;
}

void hi_log_connecting(const struct hi_connection *connection) {
  char address[ADDRESS_SIZE];
  if (!listens(connection->client)) return;
  const hito_log_field fields[] = {{"address", address_of(connection, address), 0}};
  tell(connection->client, HITO_LOG_DEBUG, "connecting", fields, COUNT(fields), "connecting to %s", address);
}

void hi_log_connected(struct hi_connection *connection) {
  char address[ADDRESS_SIZE];
  connection->is_told = true;
  if (!listens(connection->client)) return;
  long long took = since(connection->client, connection->began_at);
  const hito_log_field fields[] = {
      {"address", address_of(connection, address), 0}, {"server_id", connection->peer.server_id, 0},
      {"duration_ms", NULL, took}};
  tell(connection->client, HITO_LOG_INFO, "connected", fields, COUNT(fields), "connected to %s in %lld ms", address, took);
}

void hi_log_connect_failed(const struct hi_connection *connection, const char *why) {
  char address[ADDRESS_SIZE];
  if (!listens(connection->client)) return;
  const hito_log_field fields[] = {{"address", address_of(connection, address), 0}, {"reason", why, 0}};
  tell(connection->client, HITO_LOG_WARNING, "connect_failed", fields, COUNT(fields), "%s", why);
}

void hi_log_disconnected(struct hi_connection *connection, bool is_in_order, const char *why) {
  char address[ADDRESS_SIZE];
  bool is_new = connection->is_told;
  connection->is_told = false;
  if (!is_new || !listens(connection->client)) return;
  const hito_log_field fields[] = {{"address", address_of(connection, address), 0}, {"reason", why, 0}};
  tell(connection->client, is_in_order ? HITO_LOG_INFO : HITO_LOG_WARNING, "disconnected", fields, COUNT(fields),
       "the connection to %s has ended: %s", address, why);
}

/* Calls */

void hi_log_call_started(hito_call *call) {
  hito_client *client = call->client;
  if (!listens(client)) return;
  call->number = ++client->call_count;
  call->began_at = client->now;
  call->attempts = 1;
  const char *path = call->method->path;
  const hito_log_field fields[] = {{"call", NULL, call->number}, {"method", path, 0}};
  tell(client, HITO_LOG_DEBUG, "call_started", fields, COUNT(fields), "%s begins", path);
}

void hi_log_call_repeated(hito_call *call, const hito_error *error, int64_t wait) {
  if (call->number == 0) return;
  const char *path = call->method->path, *status = hito_status_name(error->code);
  const hito_log_field fields[] = {
      {"call", NULL, call->number}, {"method", path, 0}, {"attempt", NULL, ++call->attempts}, {"status", status, 0},
      {"delay_ms", NULL, milliseconds(wait)}};
  tell(call->client, HITO_LOG_INFO, "call_repeated", fields, COUNT(fields), "%s is repeated in %lld ms after %s: %s", path,
       milliseconds(wait), status, error->message);
}

void hi_log_call_hedged(const hito_call *call) {
  if (call->number == 0) return;
  const char *path = call->method->path;
  const hito_log_field fields[] = {
      {"call", NULL, call->number}, {"method", path, 0}, {"copy", NULL, call->copy_count}};
  tell(call->client, HITO_LOG_DEBUG, "call_hedged", fields, COUNT(fields), "%s is asked again beside", path);
}

void hi_log_call_ended(hito_call *call, bool is_left) {
  if (call->number == 0) return;
  const hito_error *error = is_left ? NULL : call->error;
  const char *path = call->method->path;
  const char *status = hito_status_name(is_left ? HITO_CANCELLED : error == NULL ? HITO_OK : error->code);
  bool is_own = error == NULL || (error->code == HITO_CANCELLED && !error->from_server);
  long long took = since(call->client, call->began_at);
  const hito_log_field fields[] = {
      {"call", NULL, call->number}, {"method", path, 0}, {"status", status, 0}, {"duration_ms", NULL, took},
      {"attempts", NULL, call->attempts}};
  call->number = 0;
  tell(call->client, is_own ? HITO_LOG_DEBUG : HITO_LOG_INFO, "call_ended", fields, COUNT(fields),
       "%s ended with %s after %lld ms%s%s", path, status, took, error == NULL ? "" : ": ",
       error == NULL ? "" : error->message);
}

void hi_log_resumed(const hito_client *client, const hito_method *method, const hito_error *error, int64_t at) {
  if (!listens(client)) return;
  const char *status = hito_status_name(error->code);
  long long delay = milliseconds(at - client->now);
  const hito_log_field fields[] = {{"method", method->path, 0}, {"status", status, 0}, {"delay_ms", NULL, delay}};
  tell(client, HITO_LOG_INFO, "watch_resumed", fields, COUNT(fields), "%s is taken up again in %lld ms after %s: %s",
       method->path, delay, status, error->message);
}

void hi_log_token(const hito_client *client, const struct hi_token_news *news) {
  if (!listens(client) || news->kind == HI_TOKEN_NO_NEWS) return;
  if (news->kind == HI_TOKEN_REFRESHED) {
    const hito_log_field valid = {"valid_ms", NULL, news->time == HI_NEVER ? -1 : milliseconds(news->time)};
    tell(client, HITO_LOG_INFO, "token_refreshed", &valid, 1, "there is a new token");
    return;
  }
  const char *reason = client->tokens.machine.reason;
  const hito_log_field fields[] = {{"reason", reason, 0}, {"rest_ms", NULL, milliseconds(news->time)}};
  tell(client, HITO_LOG_WARNING, "token_failed", fields, COUNT(fields), "no new token: %s", reason);
}

/* Who listens */

const hito_log_field *hito_log_get(const hito_log_record *record, const char *name) {
  for (size_t i = 0; i < record->field_count; i++)
    if (strcmp(record->fields[i].name, name) == 0) return &record->fields[i];
  return NULL;
}

void hito_log_to_file(void *file, const hito_log_record *record) {
  static const char *const levels[] = {"debug", "info", "warning"};
  fprintf(file, "hito: %s: %s: %s\n", levels[record->level], record->event, record->text);
}

void hito_log_to_syslog(void *nothing, const hito_log_record *record) {
  static const int levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING};
  (void)nothing;
  syslog(levels[record->level], "hito: %s: %s", record->event, record->text);
}
