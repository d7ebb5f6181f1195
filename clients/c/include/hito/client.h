/* A client: connections to the servers of one Hito deployment, shared by its calls. */
#pragma once

#include <poll.h>

#include "hito/call.h"
#include "hito/log.h"

HITO_BEGIN_DECLS

/** Something around every call of a client; the first is the outermost. */
typedef struct hito_interceptor {
  /** Before the call: may change its options (what they point to must last until it returns). NULL lets the call go on;
   * an error (hito_error_make) refuses it. `state` is the call's own for `end`. */
  hito_error *(*begin)(void *self, const hito_method *method, hito_call_options *options, void **state);
  /** After the call; `error` is NULL where it went well. Not called where `begin` of this one refused. */
  void (*end)(void *self, const hito_method *method, const hito_error *error, void *state);
  void *self;
} hito_interceptor;

/** An error for an interceptor to refuse a call with. */
HITO_API hito_error *hito_error_make(hito_status code, const char *message);

typedef enum hito_balancing {
  /** The first server that answers, for as long as it does. */
  HITO_PICK_FIRST,
  /** All servers in turn. */
  HITO_ROUND_ROBIN,
} hito_balancing;

/** A question for a token, to a `token_provider`. A value: it may be copied, and kept until it is answered. */
typedef struct hito_token_request {
  hito_client *client;
  uint64_t number;
} hito_token_request;

/** Answers with a token, which is copied, and for how long it is valid from now; 0: not known. The first answer counts; one
 * that comes when the question has ended (`token_timeout_ms`, hito_client_close) changes nothing. Not after
 * hito_client_free, and by the thread that uses the client; it may be called by the provider itself. */
HITO_API void hito_token_give(hito_token_request request, const char *token, int64_t valid_ms);

/** Answers that there is no token. */
HITO_API void hito_token_fail(hito_token_request request);

struct addrinfo;

/** How a client is. Zeros are the defaults; strings are copied. Callbacks and what they use must outlive the client, and
 * must not use it; only a `token_provider` may answer. */
typedef struct hito_client_options {
  /** `host:port`, `[IPv6]:port`, or several with commas between. */
  const char *addresses;
  /** PEM file of the authority that signed the server's certificate; NULL: the system's authorities. */
  const char *ca_file;
  /** PEM files of a certificate of the client and its key, for servers that ask for one. */
  const char *certificate_file;
  const char *key_file;
  /** The name in the server's certificate, where it is not the host of the address. */
  const char *server_name;
  const char *token;
  /** Instead of `token`: is asked for one when a call needs it, when the current one is about to expire, and when the server
   * refused it; the call is then repeated once. It answers before it returns (it may block, and with it the client), or
   * later, from the program's loop: hito_token_give or hito_token_fail. It is called by hito_client_poll and
   * hito_client_fds, one question at a time. */
  void (*token_provider)(void *user, hito_token_request request);
  void *token_user;
  /** After which a question has failed; 0: 10 s. */
  int64_t token_timeout_ms;
  /** What a unary call may take, retries included; 0: 30 s. */
  int64_t timeout_ms;
  hito_wait wait_for_ready;
  hito_balancing balancing;
  /** Connections to one address; 0: 4. */
  unsigned connections_per_address;
  /** Servers are asked how they are: one that says that it does not serve gets no new calls while others do. */
  bool checks_health;
  /** Silence after which a connection on which calls wait is asked for a sign of life; 0: 10 s. */
  int64_t keepalive_ms;
  /** Of all unary calls that read. */
  hito_hedging hedging;
  /** Repeats and copies of all calls together: at once (0: 100), and a second beyond (0: 200). */
  unsigned repeat_burst;
  unsigned repeats_per_second;
  /** Bytes of a message that is accepted, 16 KiB at least; 0: 4 MiB. */
  uint32_t message_max;
  /** Memory that a decoded message may take; 0: eight times message_max. */
  size_t memory_max;
  /** Messages of 4 KiB and more go compressed, both ways, where the server reads that. */
  bool compresses;
  /** For the server's logs; NULL: `hito-c/<version>`. */
  const char *agent;
  const hito_interceptor *interceptors;
  size_t interceptor_count;
  /** Is told what happens; it must be quick. hito_log_to_file and hito_log_to_syslog are such functions. */
  void (*log)(void *user, const hito_log_record *record);
  void *log_user;
  /** Finds the addresses of a host that is a name; NULL: getaddrinfo, which may wait for a name server. Returns 0 or
   * an error of getaddrinfo; `release` frees the result. */
  int (*resolve)(void *user, const char *host, const char *port, struct addrinfo **result);
  void (*release)(void *user, struct addrinfo *result);
  void *resolve_user;
} hito_client_options;

/** Makes a client; it connects with its first call. NULL where the options make no sense, and `error` says why. */
HITO_API hito_client *hito_client_new(const hito_client_options *options, hito_error **error);

/** Connects now, so that mistakes show at once; waits `timeout_ms` at most. Where no server can be reached it fails, unless
 * `wait_for_ready` of the client is HITO_WAIT_YES. */
HITO_API bool hito_client_connect(hito_client *client, int64_t timeout_ms, hito_error **error);

/** Ends the calls of a client, and begins to end its connections. */
HITO_API void hito_client_close(hito_client *client);

/** Whether a closed client has said its last words. */
HITO_API bool hito_client_is_closed(const hito_client *client);

/** Closes the client, gives its last words two seconds at most, and frees it. Calls that were not freed end (on_ready
 * is called), and are to be freed all the same. What is resumed is freed before. */
HITO_API void hito_client_free(hito_client *client);

/** Does what there is to do, waiting for it `timeout_ms` at most (-1: for as long as it takes, 0: not at all), and calls
 * `on_ready` of calls. Returns how many it called; -1 where poll(2) fails with anything but EINTR. */
HITO_API int hito_client_poll(hito_client *client, int timeout_ms);

/** For loops of others: what to wait for. Writes at most `capacity` entries and returns how many there are. Ask again after
 * each use of the client; where one is ready or the time of hito_client_timeout is over, hito_client_poll(client, 0). */
HITO_API size_t hito_client_fds(hito_client *client, struct pollfd *fds, size_t capacity);

/** Milliseconds until hito_client_poll has something to do; -1: only where a descriptor is ready. */
HITO_API int hito_client_timeout(hito_client *client);

/** The version of this library. */
HITO_API const char *hito_version(void);

HITO_END_DECLS
