#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "COpenSSL.h"
#include "internal.h"

/// Above this an emptied output buffer is freed, so that an idle connection stays small.
enum { OUTPUT_KEPT = 4096 };

struct hito_tls_session {
  SSL *ssl;
  const uint8_t *input;
  size_t input_count;
  uint8_t *output;
  size_t output_count;
  size_t output_capacity;
};

// MARK: The BIO: reads what was lent, appends what is to be sent

static int bio_write(BIO *bio, const char *bytes, int count) {
  hito_tls_session *session = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (count <= 0) return 0;
  size_t needed = session->output_count + (size_t)count;
  if (needed > session->output_capacity) {
    size_t capacity = session->output_capacity ? session->output_capacity : 1024;
    while (capacity < needed) capacity *= 2;
    uint8_t *grown = realloc(session->output, capacity);
    if (!grown) return -1;
    session->output = grown;
    session->output_capacity = capacity;
  }
  memcpy(session->output + session->output_count, bytes, (size_t)count);
  session->output_count = needed;
  return count;
}

static int bio_read(BIO *bio, char *bytes, int count) {
  hito_tls_session *session = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (count <= 0) return 0;
  if (session->input_count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  size_t taken = (size_t)count < session->input_count ? (size_t)count : session->input_count;
  memcpy(bytes, session->input, taken);
  session->input += taken;
  session->input_count -= taken;
  return (int)taken;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio;
  (void)number;
  (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio) {
  BIO_set_init(bio, 1);
  return 1;
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_method_once = PTHREAD_ONCE_INIT;

static void create_bio_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hito");
  if (!method) return;
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
  BIO_meth_set_create(method, bio_create);
  bio_method = method;
}

// MARK: Life

static hito_tls_session *session_take(hito_tls_context *context) {
  pthread_once(&bio_method_once, create_bio_method);
  if (!bio_method) return NULL;
  ERR_clear_error();
  hito_tls_session *session = calloc(1, sizeof *session);
  SSL *ssl = SSL_new((SSL_CTX *)context);
  BIO *bio = BIO_new(bio_method);
  if (!session || !ssl || !bio) {
    BIO_free(bio);
    SSL_free(ssl);
    free(session);
    ERR_clear_error();
    return NULL;
  }
  BIO_set_data(bio, session);
  SSL_set_bio(ssl, bio, bio);
  session->ssl = ssl;
  return session;
}

hito_tls_session *hito_tls_accept_take(hito_tls_context *context) {
  hito_tls_session *session = session_take(context);
  if (session) SSL_set_accept_state(session->ssl);
  return session;
}

hito_tls_session *hito_tls_connect_take(hito_tls_context *context, const char *host) {
  hito_tls_session *session = session_take(context);
  if (!session) return NULL;
  unsigned char address[16];
  int is_address =
      inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
  X509_VERIFY_PARAM *verification = SSL_get0_param(session->ssl);
  int ok = is_address ? X509_VERIFY_PARAM_set1_ip_asc(verification, host)
                      : X509_VERIFY_PARAM_set1_host(verification, host, 0) &&
                            SSL_set_tlsext_host_name(session->ssl, host);
  if (ok != 1) {
    hito_tls_session_free(session);
    ERR_clear_error();
    return NULL;
  }
  X509_VERIFY_PARAM_set_hostflags(verification, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set_connect_state(session->ssl);
  return session;
}

void hito_tls_session_free(hito_tls_session *session) {
  if (!session) return;
  SSL_free(session->ssl);
  free(session->output);
  free(session);
}

// MARK: Bytes

void hito_tls_lend_input(hito_tls_session *session, const void *bytes, size_t count) {
  session->input = bytes;
  session->input_count = count;
}

void hito_tls_return_input(hito_tls_session *session) {
  session->input = NULL;
  session->input_count = 0;
}

static int verification_failed(
    const hito_tls_session *session, char *error, size_t error_size) {
  long result = SSL_get_verify_result(session->ssl);
  if (result == X509_V_OK) return 0;
  if (error && error_size > 0) {
    const char *reason = X509_verify_cert_error_string(result);
    snprintf(error, error_size, "the peer's certificate was refused: %s", reason);
  }
  ERR_clear_error();
  return 1;
}

int hito_tls_handshake(hito_tls_session *session, char *error, size_t error_size) {
  ERR_clear_error();
  int result = SSL_do_handshake(session->ssl);
  if (result == 1) {
    const unsigned char *protocol = NULL;
    unsigned int count = 0;
    SSL_get0_alpn_selected(session->ssl, &protocol, &count);
    if (count == 6 && memcmp(protocol, "hito/1", 6) == 0) return HITO_TLS_DONE;
    if (error && error_size > 0) snprintf(error, error_size, "the peer does not speak hito/1");
    return HITO_TLS_FAILED;
  }
  if (SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ) return HITO_TLS_WANT;
  if (!verification_failed(session, error, error_size)) {
    hito_drain_errors("the TLS handshake failed", error, error_size);
  }
  return HITO_TLS_FAILED;
}

int hito_tls_read(
    hito_tls_session *session, void *bytes, int count, char *error, size_t error_size) {
  ERR_clear_error();
  int result = SSL_read(session->ssl, bytes, count);
  if (result > 0) return result;
  switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
      return HITO_TLS_WANT;
    case SSL_ERROR_ZERO_RETURN:
      return HITO_TLS_CLOSED;
    default:
      hito_drain_errors("TLS data does not decrypt", error, error_size);
      return HITO_TLS_FAILED;
  }
}

int hito_tls_write(hito_tls_session *session, const void *bytes, size_t count) {
  ERR_clear_error();
  const uint8_t *next = bytes;
  while (count > 0) {
    int part = count > INT_MAX ? INT_MAX : (int)count;
    int written = SSL_write(session->ssl, next, part);
    if (written <= 0) {
      ERR_clear_error();
      return HITO_TLS_FAILED;
    }
    next += written;
    count -= (size_t)written;
  }
  return 1;
}

void hito_tls_close(hito_tls_session *session) {
  ERR_clear_error();
  if (SSL_is_init_finished(session->ssl)) SSL_shutdown(session->ssl);
  ERR_clear_error();
}

const uint8_t *hito_tls_output_borrow(const hito_tls_session *session, size_t *count) {
  *count = session->output_count;
  return session->output;
}

void hito_tls_output_clear(hito_tls_session *session) {
  session->output_count = 0;
  if (session->output_capacity <= OUTPUT_KEPT) return;
  free(session->output);
  session->output = NULL;
  session->output_capacity = 0;
}

const char *hito_tls_version_borrow(const hito_tls_session *session) {
  return SSL_get_version(session->ssl);
}

int hito_tls_peer_name(const hito_tls_session *session, char *name, size_t name_size) {
  X509 *certificate = SSL_get1_peer_certificate(session->ssl);
  if (!certificate) return 0;
  X509_NAME *subject = X509_get_subject_name(certificate);
  int count = X509_NAME_get_text_by_NID(subject, NID_commonName, name, (int)name_size);
  X509_free(certificate);
  return count > 0;
}
