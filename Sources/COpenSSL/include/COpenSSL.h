#pragma once
// What Swift needs of OpenSSL, without its macros and without its types.
//
// Ownership is in the names: `_take` returns what the caller must free, `_borrow` what stays ours.
// OpenSSL's error queue is cleared before each operation and drained into `error` after a failure;
// `error` may be NULL, else it receives a NUL-terminated text of at most `error_size` bytes.
#include <stddef.h>
#include <stdint.h>

// MARK: Contexts

typedef struct hito_tls_context hito_tls_context;

/// A TLS 1.3 server context with ALPN `hito/1`. `client_ca_file` may be NULL; with it, client
/// certificates are asked for and verified when they come. NULL on failure.
hito_tls_context *hito_tls_server_context_take(
    const char *certificate_file, const char *key_file, const char *client_ca_file, char *error,
    size_t error_size);

/// A TLS 1.3 client context. `ca_file` NULL = the system's trust store. `certificate_file` and
/// `key_file` are both NULL or a client certificate. NULL on failure.
hito_tls_context *hito_tls_client_context_take(
    const char *ca_file, const char *certificate_file, const char *key_file, char *error,
    size_t error_size);

void hito_tls_context_free(hito_tls_context *context);

// MARK: Sessions: bytes in, bytes out

typedef struct hito_tls_session hito_tls_session;

enum {
  HITO_TLS_DONE = 1,      // the handshake is complete
  HITO_TLS_WANT = 0,      // more input is needed
  HITO_TLS_CLOSED = -1,   // the peer sent close_notify
  HITO_TLS_FAILED = -2,   // the session is unusable; output may hold an alert to send
};

/// A server session, NULL when memory is short. The context may be freed before the session.
hito_tls_session *hito_tls_accept_take(hito_tls_context *context);

/// A client session that verifies the peer as `host` (a name, or an IP address).
hito_tls_session *hito_tls_connect_take(hito_tls_context *context, const char *host);

void hito_tls_session_free(hito_tls_session *session);

/// Lends input to the session; it must stay valid until `hito_tls_return_input`, before which it is
/// consumed by handshake and reads (all of it, when they answer HITO_TLS_WANT).
void hito_tls_lend_input(hito_tls_session *session, const void *bytes, size_t count);
void hito_tls_return_input(hito_tls_session *session);

/// HITO_TLS_DONE, _WANT or _FAILED (also when ALPN `hito/1` was not agreed on).
int hito_tls_handshake(hito_tls_session *session, char *error, size_t error_size);

/// Plain bytes read (> 0), or HITO_TLS_WANT, _CLOSED, _FAILED.
int hito_tls_read(
    hito_tls_session *session, void *bytes, int count, char *error, size_t error_size);

/// Encrypts all of `bytes` into the output: 1, or HITO_TLS_FAILED.
int hito_tls_write(hito_tls_session *session, const void *bytes, size_t count);

/// Puts close_notify into the output.
void hito_tls_close(hito_tls_session *session);

/// What is to be sent; valid until the next operation on the session.
const uint8_t *hito_tls_output_borrow(const hito_tls_session *session, size_t *count);

/// Forgets the output; gives its memory back when it was large.
void hito_tls_output_clear(hito_tls_session *session);

/// The negotiated version, "TLSv1.3".
const char *hito_tls_version_borrow(const hito_tls_session *session);

/// Writes the common name of the peer's verified certificate; 0 when there is none.
int hito_tls_peer_name(const hito_tls_session *session, char *name, size_t name_size);

// MARK: Certificates

/// Creates a development authority (EC P-256): two PEM files, the key with mode 0600. Existing files
/// are replaced. 1 on success.
int hito_tls_create_authority(
    const char *certificate_file, const char *key_file, const char *common_name, int days,
    char *error, size_t error_size);

/// Creates a server certificate for `names` (DNS names or IP addresses; the first is the subject),
/// signed by the authority in the two files. 1 on success.
int hito_tls_create_server_certificate(
    const char *authority_certificate_file, const char *authority_key_file,
    const char *certificate_file, const char *key_file, const char *const *names, size_t name_count,
    int days, char *error, size_t error_size);

/// Reads the first certificate of a PEM file: validity in Unix seconds and subject. 1 on success.
int hito_tls_certificate_validity(
    const char *certificate_file, int64_t *not_before, int64_t *not_after, char *subject,
    size_t subject_size, char *error, size_t error_size);

// MARK: Digests and random bytes

enum { HITO_SHA256_SIZE = 32 };

/// SHA-256 of `count` bytes into HITO_SHA256_SIZE bytes at `digest`. 1 on success.
int hito_sha256(const void *bytes, size_t count, uint8_t *digest);

/// A SHA-256 in progress.
typedef struct hito_sha256_state hito_sha256_state;

/// A new one, NULL when memory is short.
hito_sha256_state *hito_sha256_take(void);

/// A copy that is independent of `state`, NULL when memory is short.
hito_sha256_state *hito_sha256_copy_take(const hito_sha256_state *state);

void hito_sha256_free(hito_sha256_state *state);

/// 1 on success.
int hito_sha256_update(hito_sha256_state *state, const void *bytes, size_t count);

/// Writes HITO_SHA256_SIZE bytes at `digest`; the state is of no use afterwards. 1 on success.
int hito_sha256_finish(hito_sha256_state *state, uint8_t *digest);

/// HMAC-SHA-256 under one key.
typedef struct hito_hmac_key hito_hmac_key;

/// NULL when memory is short.
hito_hmac_key *hito_hmac_key_take(const void *key, size_t count);

void hito_hmac_key_free(hito_hmac_key *key);

/// Writes HITO_SHA256_SIZE bytes at `code`; changes nothing in `key`. 1 on success.
int hito_hmac(const hito_hmac_key *key, const void *bytes, size_t count, uint8_t *code);

/// Whether the bytes are the same, in a time that does not tell where they differ.
int hito_is_equal(const void *left, const void *right, size_t count);

/// Cryptographically random bytes. 1 on success.
int hito_random(uint8_t *bytes, size_t count);
