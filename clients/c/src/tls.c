/* TLS 1.3 between memory buffers; the sockets are read and written here, without SIGPIPE. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* There SO_NOSIGPIPE is set on the socket (dial.c). */
#endif

enum {
  CHUNK = 16384,
  /* So many reads of a socket before others have their turn. */
  READS_MAX = 16,
  NETWORK_MAX = 65536,
  OUT_MAX = 8 << 20,
};

/* The wire format of ALPN: each name behind its length. */
static const unsigned char alpn[] = "\x06hito/1";

static SSL_CTX *refuse(SSL_CTX *context, hito_error **error, const char *what, const char *name) {
  const char *why = ERR_reason_error_string(ERR_peek_last_error());
  hi_give(error, hi_error(HITO_INVALID_ARGUMENT, true, "%s%s: %s", what, name, why == NULL ? "cannot be read" : why));
  ERR_clear_error();
  SSL_CTX_free(context);
  return NULL;
}

SSL_CTX *hi_tls_context(const hito_client_options *options, hito_error **error) {
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) return refuse(NULL, error, "TLS", "");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* 0 means success here, unlike everywhere else. */
  if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn - 1) != 0)
    return refuse(context, error, "TLS 1.3", "");
  if (options->ca_file == NULL ? SSL_CTX_set_default_verify_paths(context) != 1
                               : SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1)
    return refuse(context, error, "ca_file ", options->ca_file == NULL ? "of the system" : options->ca_file);
  if (options->certificate_file == NULL) return context;
  const char *key = options->key_file == NULL ? options->certificate_file : options->key_file;
  if (SSL_CTX_use_certificate_chain_file(context, options->certificate_file) != 1)
    return refuse(context, error, "certificate_file ", options->certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(context) != 1)
    return refuse(context, error, "key_file ", key);
  return context;
}

/* The certificate must be of this name, or of this address (W1.3). */
static bool expect_name(SSL *ssl, const char *name) {
  X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  unsigned char address[16];
  if (inet_pton(AF_INET, name, address) == 1) return X509_VERIFY_PARAM_set1_ip(parameters, address, 4) == 1;
  if (inet_pton(AF_INET6, name, address) == 1) return X509_VERIFY_PARAM_set1_ip(parameters, address, 16) == 1;
  return X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

/* What the socket takes of what waits for it. */
static void send_network(struct hi_connection *connection) {
  struct hi_buffer *network = &connection->network;
  while (hi_buffer_size(network) > 0 && !connection->is_write_broken) {
    ssize_t sent = send(connection->fd, hi_buffer_bytes(network), hi_buffer_size(network), MSG_NOSIGNAL);
    if (sent >= 0) {
      hi_buffer_consume(network, (size_t)sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      /* What the server said before is still to be read. */
      connection->is_write_broken = true;
    }
  }
  if (connection->is_write_broken) hi_buffer_consume(network, hi_buffer_size(network));
}

static void collect(struct hi_connection *connection) {
  size_t pending;
  while ((pending = BIO_ctrl_pending(connection->to_network)) > 0) {
    size_t size = pending < CHUNK ? pending : CHUNK;
    uint8_t *room = hi_buffer_reserve(&connection->network, size);
    int got = room == NULL ? -1 : BIO_read(connection->to_network, room, (int)size);
    if (got <= 0) {
      connection->is_write_broken = true;
      return;
    }
    hi_buffer_added(&connection->network, (size_t)got);
  }
}

void hi_tls_flush(struct hi_connection *connection) {
  if (connection->ssl == NULL || connection->fd < 0) return;
  struct hi_buffer *out = &connection->out;
  bool may_write = connection->state >= HI_GREETING;
  while (may_write && hi_buffer_size(out) > 0 && !connection->is_write_broken) {
    if (hi_buffer_size(&connection->network) >= NETWORK_MAX) break;
    size_t size = hi_buffer_size(out) < CHUNK ? hi_buffer_size(out) : CHUNK;
    ERR_clear_error();
    int written = SSL_write(connection->ssl, hi_buffer_bytes(out), (int)size);
    if (written <= 0) {
      ERR_clear_error();
      break;
    }
    hi_buffer_consume(out, (size_t)written);
    collect(connection);
    if (hi_buffer_size(&connection->network) >= NETWORK_MAX) send_network(connection);
  }
  collect(connection);
  send_network(connection);
  if (connection->is_write_broken) hi_buffer_consume(out, hi_buffer_size(out));
  if (out->has_failed || hi_buffer_size(out) > OUT_MAX) hi_connection_lost(connection, "the server does not read");
}

void hi_tls_shutdown(struct hi_connection *connection) {
  ERR_clear_error();
  SSL_shutdown(connection->ssl);
  ERR_clear_error();
  collect(connection);
  send_network(connection);
}

static void handshake_failed(struct hi_connection *connection) {
  char why[256];
  long verified = SSL_get_verify_result(connection->ssl);
  const char *reason = ERR_reason_error_string(ERR_peek_error());
  connection->is_untrusted = verified != X509_V_OK;
  if (connection->is_untrusted)
    snprintf(why, sizeof why, "certificate refused: %s", X509_verify_cert_error_string(verified));
  else
    snprintf(why, sizeof why, "TLS: %s", reason == NULL ? "the handshake failed" : reason);
  ERR_clear_error();
  collect(connection);
  send_network(connection);
  hi_connection_lost(connection, why);
}

/* Whether the handshake is done, and with a server of ours. */
static bool shake_hands(struct hi_connection *connection) {
  ERR_clear_error();
  int result = SSL_do_handshake(connection->ssl);
  if (result != 1) {
    if (SSL_get_error(connection->ssl, result) == SSL_ERROR_WANT_READ) return false;
    handshake_failed(connection);
    return false;
  }
  const unsigned char *selected;
  unsigned size;
  SSL_get0_alpn_selected(connection->ssl, &selected, &size);
  if (size != sizeof alpn - 2 || memcmp(selected, alpn + 1, size) != 0) {
    hi_connection_lost(connection, "the server does not speak hito/1");
    return false;
  }
  hi_connection_greet(connection);
  return true;
}

bool hi_tls_begin(struct hi_connection *connection, const char *host) {
  const char *name = connection->client->options.server_name;
  ERR_clear_error();
  connection->ssl = SSL_new(connection->client->tls);
  if (connection->ssl == NULL) return false;
  connection->from_network = BIO_new(BIO_s_mem());
  connection->to_network = BIO_new(BIO_s_mem());
  /* It owns both from here on, also where one of them is NULL. */
  SSL_set_bio(connection->ssl, connection->from_network, connection->to_network);
  if (connection->from_network == NULL || connection->to_network == NULL) return false;
  BIO_set_mem_eof_return(connection->from_network, -1);
  SSL_set_connect_state(connection->ssl);
  if (!expect_name(connection->ssl, name == NULL ? host : name)) return false;
  /* Its first words. */
  shake_hands(connection);
  return true;
}

/* Decrypts what came, and hands it on. */
static void decrypt(struct hi_connection *connection) {
  while (connection->state != HI_DEAD) {
    uint8_t *room = hi_buffer_reserve(&connection->in, CHUNK);
    if (room == NULL) {
      hi_connection_lost(connection, "no memory");
      return;
    }
    ERR_clear_error();
    int got = SSL_read(connection->ssl, room, CHUNK);
    if (got > 0) {
      hi_buffer_added(&connection->in, (size_t)got);
      hi_connection_received(connection);
      continue;
    }
    int why = SSL_get_error(connection->ssl, got);
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ) return;
    hi_connection_lost(connection, why == SSL_ERROR_ZERO_RETURN ? "the server closed it" : reason);
  }
}

/* Takes bytes from the socket; false where there are none now. */
static bool receive(struct hi_connection *connection, uint8_t *bytes, const char **why) {
  ssize_t got = recv(connection->fd, bytes, CHUNK, 0);
  if (got > 0) return BIO_write(connection->from_network, bytes, (int)got) == (int)got;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
  *why = got == 0 ? "the server hung up" : strerror(errno);
  return false;
}

void hi_tls_read(struct hi_connection *connection) {
  uint8_t bytes[CHUNK];
  for (int i = 0; i < READS_MAX && connection->state != HI_DEAD; i++) {
    const char *why = NULL;
    bool has_come = receive(connection, bytes, &why);
    if (has_come && connection->state == HI_HANDSHAKE) shake_hands(connection);
    if (has_come && connection->state > HI_HANDSHAKE) decrypt(connection);
    if (why != NULL && connection->state != HI_DEAD) hi_connection_lost(connection, why);
    if (!has_come) return;
  }
}
