#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "COpenSSL.h"
#include "internal.h"

static const unsigned char alpn[] = {6, 'h', 'i', 't', 'o', '/', '1'};

void hito_drain_errors(const char *what, char *error, size_t error_size) {
  unsigned long code = ERR_get_error();
  if (error && error_size > 0) {
    char reason[160] = "";
    if (code) ERR_error_string_n(code, reason, sizeof reason);
    snprintf(error, error_size, "%s%s%s", what, code ? ": " : "", reason);
  }
  ERR_clear_error();
}

static int select_alpn(
    SSL *ssl, const unsigned char **out, unsigned char *out_count, const unsigned char *in,
    unsigned int in_count, void *argument) {
  (void)ssl;
  (void)argument;
  unsigned char *chosen = NULL;
  int answer = SSL_select_next_proto(&chosen, out_count, alpn, sizeof alpn, in, in_count);
  if (answer != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/// The ALPN callback is not asked when the client names no protocol at all.
static int require_alpn(SSL *ssl, int *alert, void *argument) {
  (void)argument;
  const unsigned char *bytes;
  size_t count;
  const unsigned int extension = TLSEXT_TYPE_application_layer_protocol_negotiation;
  if (SSL_client_hello_get0_ext(ssl, extension, &bytes, &count)) return SSL_CLIENT_HELLO_SUCCESS;
  *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
  return SSL_CLIENT_HELLO_ERROR;
}

static SSL_CTX *common_context(const SSL_METHOD *method, char *error, size_t error_size) {
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(method);
  if (!context) {
    hito_drain_errors("cannot create a TLS context", error, error_size);
    return NULL;
  }
  const char *suites =
      "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
  if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context, suites) != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1) {
    hito_drain_errors("cannot set up TLS 1.3", error, error_size);
    SSL_CTX_free(context);
    return NULL;
  }
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Released buffers keep an idle connection small; read-ahead spares a BIO call per record.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 32768);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return context;
}

static int load_identity(
    SSL_CTX *context, const char *certificate_file, const char *key_file, char *error,
    size_t error_size) {
  char what[512];
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file) != 1) {
    snprintf(what, sizeof what, "cannot read the certificate %s", certificate_file);
  } else if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1) {
    snprintf(what, sizeof what, "cannot read the private key %s", key_file);
  } else if (SSL_CTX_check_private_key(context) != 1) {
    snprintf(what, sizeof what, "%s is not the key of %s", key_file, certificate_file);
  } else {
    return 1;
  }
  hito_drain_errors(what, error, error_size);
  return 0;
}

static int load_authorities(SSL_CTX *context, const char *file, char *error, size_t error_size) {
  if (SSL_CTX_load_verify_locations(context, file, NULL) == 1) return 1;
  char what[512];
  snprintf(what, sizeof what, "cannot read the certificate authority %s", file);
  hito_drain_errors(what, error, error_size);
  return 0;
}

hito_tls_context *hito_tls_server_context_take(
    const char *certificate_file, const char *key_file, const char *client_ca_file, char *error,
    size_t error_size) {
  SSL_CTX *context = common_context(TLS_server_method(), error, error_size);
  if (!context) return NULL;
  if (!load_identity(context, certificate_file, key_file, error, error_size)) goto failed;
  if (client_ca_file) {
    if (!load_authorities(context, client_ca_file, error, error_size)) goto failed;
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(client_ca_file));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  }
  // Without one OpenSSL refuses every resumed session once client certificates are asked for.
  SSL_CTX_set_session_id_context(context, alpn + 1, sizeof alpn - 1);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_max_early_data(context, 0);
  SSL_CTX_set_alpn_select_cb(context, select_alpn, NULL);
  SSL_CTX_set_client_hello_cb(context, require_alpn, NULL);
  ERR_clear_error();
  return (hito_tls_context *)context;
failed:
  SSL_CTX_free(context);
  return NULL;
}

hito_tls_context *hito_tls_client_context_take(
    const char *ca_file, const char *certificate_file, const char *key_file, char *error,
    size_t error_size) {
  SSL_CTX *context = common_context(TLS_client_method(), error, error_size);
  if (!context) return NULL;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (ca_file) {
    if (!load_authorities(context, ca_file, error, error_size)) goto failed;
  } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
    hito_drain_errors("cannot read the system's trust store", error, error_size);
    goto failed;
  }
  if (certificate_file && key_file &&
      !load_identity(context, certificate_file, key_file, error, error_size)) {
    goto failed;
  }
  if (SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn) != 0) {
    hito_drain_errors("cannot set ALPN", error, error_size);
    goto failed;
  }
  return (hito_tls_context *)context;
failed:
  SSL_CTX_free(context);
  return NULL;
}

void hito_tls_context_free(hito_tls_context *context) { SSL_CTX_free((SSL_CTX *)context); }
