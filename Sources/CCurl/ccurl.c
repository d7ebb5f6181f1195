#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#include "CCurl.h"

enum { wait_ms = 60000 };

struct hito_http_loop {
  CURLM *multi;
};

struct hito_http_transfer {
  CURL *easy;
  struct curl_slist *headers;
  hito_http_callbacks callbacks;
  void *context;
  int is_added;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void initialize(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

// MARK: Loops

hito_http_loop *hito_http_loop_take(void) {
  pthread_once(&once, initialize);
  hito_http_loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL) return NULL;
  loop->multi = curl_multi_init();
  if (loop->multi == NULL) {
    free(loop);
    return NULL;
  }
  return loop;
}

void hito_http_loop_free(hito_http_loop *loop) {
  curl_multi_cleanup(loop->multi);
  free(loop);
}

int hito_http_loop_perform(hito_http_loop *loop) {
  int running = 0;
  return curl_multi_perform(loop->multi, &running) == CURLM_OK;
}

int hito_http_loop_wait(hito_http_loop *loop) {
  return curl_multi_poll(loop->multi, NULL, 0, wait_ms, NULL) == CURLM_OK;
}

void hito_http_loop_wake(hito_http_loop *loop) { curl_multi_wakeup(loop->multi); }

int hito_http_loop_add(hito_http_loop *loop, hito_http_transfer *transfer) {
  transfer->is_added = curl_multi_add_handle(loop->multi, transfer->easy) == CURLM_OK;
  return transfer->is_added;
}

static hito_http_outcome outcome_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return HITO_HTTP_DONE;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    // The only time limit that libcurl has from us is the one for the connection.
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PROXY: return HITO_HTTP_UNREACHABLE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE: return HITO_HTTP_UNTRUSTED;
    case CURLE_URL_MALFORMAT: return HITO_HTTP_INVALID;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return HITO_HTTP_ABORTED;
    default: return HITO_HTTP_BROKEN;
  }
}

void *hito_http_loop_next_ended(hito_http_loop *loop, hito_http_outcome *outcome) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
    if (message->msg != CURLMSG_DONE) continue;
    // The message dies with the handle's removal.
    CURLcode code = message->data.result;
    CURL *easy = message->easy_handle;
    hito_http_transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);
    curl_multi_remove_handle(loop->multi, easy);
    transfer->is_added = 0;
    *outcome = outcome_of(code);
    return transfer->context;
  }
  return NULL;
}

// MARK: Transfers

static size_t take_header(char *bytes, size_t size, size_t count, void *user) {
  hito_http_transfer *transfer = user;
  return transfer->callbacks.header(transfer->context, bytes, size * count) == 0 ? size * count : 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user) {
  hito_http_transfer *transfer = user;
  switch (transfer->callbacks.body(transfer->context, bytes, size * count)) {
    case 0: return size * count;
    case 1: return CURL_WRITEFUNC_PAUSE;
    // Less than there was ends the transfer, except that of nothing there is no less.
    default: return size * count + 1;
  }
}

static int configure(
    hito_http_transfer *transfer, const hito_http_request *request) {
  CURL *easy = transfer->easy;
  int failed = 0;
#define SET(option, value) failed |= curl_easy_setopt(easy, option, value) != CURLE_OK
  SET(CURLOPT_PRIVATE, transfer);
  // Signals are the process's, not a library's.
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_CUSTOMREQUEST, request->method);
  if (request->body_size > 0) {
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    SET(CURLOPT_COPYPOSTFIELDS, request->body);
  }
  // A redirect would take key and body to somewhere that nobody configured.
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  // With a connection for each transfer, to end a transfer is to close its connection.
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_timeout_ms);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  if (request->authority_file != NULL) {
    SET(CURLOPT_CAINFO, request->authority_file);
    SET(CURLOPT_CAPATH, NULL);
  }
  if (request->is_direct) SET(CURLOPT_PROXY, "");
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_HEADERFUNCTION, take_header);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_WRITEFUNCTION, take_body);
  SET(CURLOPT_WRITEDATA, transfer);
#undef SET
  return !failed;
}

hito_http_transfer *hito_http_transfer_take(
    const hito_http_request *request, const hito_http_callbacks *callbacks, void *context) {
  pthread_once(&once, initialize);
  hito_http_transfer *transfer = calloc(1, sizeof *transfer);
  if (transfer == NULL) return NULL;
  transfer->callbacks = *callbacks;
  transfer->context = context;
  transfer->easy = curl_easy_init();
  // libcurl would wait for a "100 Continue" that few servers send.
  if (transfer->easy != NULL && configure(transfer, request) &&
      hito_http_transfer_add_header(transfer, "Expect:")) {
    return transfer;
  }
  hito_http_transfer_free(NULL, transfer);
  return NULL;
}

int hito_http_transfer_add_header(hito_http_transfer *transfer, const char *line) {
  struct curl_slist *more = curl_slist_append(transfer->headers, line);
  if (more == NULL) return 0;
  transfer->headers = more;
  return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, more) == CURLE_OK;
}

void hito_http_transfer_resume(hito_http_transfer *transfer) {
  if (transfer->is_added) curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

void hito_http_transfer_free(hito_http_loop *loop, hito_http_transfer *transfer) {
  if (loop != NULL && transfer->is_added) curl_multi_remove_handle(loop->multi, transfer->easy);
  curl_easy_cleanup(transfer->easy);
  curl_slist_free_all(transfer->headers);
  free(transfer);
}
