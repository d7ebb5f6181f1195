#include <stdio.h>
#include <string.h>

#include "internal.h"

int hito_amqp_fail(hito_amqp_error *error, hito_amqp_outcome outcome, int code, const char *text) {
  error->outcome = outcome;
  error->code = code;
  snprintf(error->text, sizeof error->text, "%s", text);
  return -1;
}

static hito_amqp_outcome outcome_of(int status) {
  switch (status) {
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED: return HITO_AMQP_UNREACHABLE;
    case AMQP_STATUS_SSL_ERROR:
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_CONNECTION_FAILED: return HITO_AMQP_UNTRUSTED;
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD: return HITO_AMQP_LOGIN;
    case AMQP_STATUS_BAD_AMQP_DATA:
    case AMQP_STATUS_UNKNOWN_CLASS:
    case AMQP_STATUS_UNKNOWN_METHOD:
    case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
    case AMQP_STATUS_WRONG_METHOD:
    case AMQP_STATUS_UNEXPECTED_STATE:
    case AMQP_STATUS_NO_MEMORY:
    case AMQP_STATUS_TABLE_TOO_BIG: return HITO_AMQP_GARBLED;
    default: return HITO_AMQP_LOST;
  }
}

int hito_amqp_fail_status(hito_amqp_error *error, int status, const char *doing) {
  char text[sizeof error->text];
  snprintf(text, sizeof text, "%s: %s", doing, amqp_error_string2(status));
  return hito_amqp_fail(error, outcome_of(status), 0, text);
}

int hito_amqp_fail_closed(const amqp_method_t *method, hito_amqp_error *error) {
  int code = 0;
  amqp_bytes_t text = amqp_empty_bytes;
  if (method->id == AMQP_CHANNEL_CLOSE_METHOD && method->decoded != NULL) {
    const amqp_channel_close_t *closed = method->decoded;
    code = closed->reply_code;
    text = closed->reply_text;
  } else if (method->id == AMQP_CONNECTION_CLOSE_METHOD && method->decoded != NULL) {
    const amqp_connection_close_t *closed = method->decoded;
    code = closed->reply_code;
    text = closed->reply_text;
  } else {
    return hito_amqp_fail(error, HITO_AMQP_GARBLED, 0, "the broker sent what was not asked for");
  }
  error->outcome = code == AMQP_ACCESS_REFUSED ? HITO_AMQP_LOGIN : HITO_AMQP_REFUSED;
  error->code = code;
  snprintf(error->text, sizeof error->text, "%.*s", (int)text.len, (const char *)text.bytes);
  // It goes into logs: one line, whatever the broker says.
  for (char *c = error->text; *c != '\0'; c++) {
    if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e) *c = '?';
  }
  return -1;
}

int hito_amqp_check(amqp_rpc_reply_t reply, const char *doing, hito_amqp_error *error) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL: return 0;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
      return hito_amqp_fail_status(error, reply.library_error, doing);
    case AMQP_RESPONSE_SERVER_EXCEPTION: return hito_amqp_fail_closed(&reply.reply, error);
    default: return hito_amqp_fail(error, HITO_AMQP_GARBLED, 0, doing);
  }
}
