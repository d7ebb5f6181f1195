#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "COpenSSL.h"

// EVP_sha256() looks its implementation up anew at each use (1 us with OpenSSL 3.0); a fetched one
// does not.
static EVP_MD *algorithm;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void) { algorithm = EVP_MD_fetch(NULL, "SHA256", NULL); }

static const EVP_MD *sha256(void) {
  pthread_once(&once, fetch);
  return algorithm != NULL ? algorithm : EVP_sha256();
}

int hito_sha256(const void *bytes, size_t count, uint8_t *digest) {
  return EVP_Digest(bytes, count, digest, NULL, sha256(), NULL);
}

// The state is OpenSSL's own context under a name that Swift may know.
static EVP_MD_CTX *context(hito_sha256_state *state) { return (EVP_MD_CTX *)state; }

hito_sha256_state *hito_sha256_take(void) {
  EVP_MD_CTX *made = EVP_MD_CTX_new();
  if (made != NULL && EVP_DigestInit_ex(made, sha256(), NULL) == 1) {
    return (hito_sha256_state *)made;
  }
  EVP_MD_CTX_free(made);
  return NULL;
}

hito_sha256_state *hito_sha256_copy_take(const hito_sha256_state *state) {
  EVP_MD_CTX *made = EVP_MD_CTX_new();
  if (made != NULL && EVP_MD_CTX_copy_ex(made, (const EVP_MD_CTX *)state) == 1) {
    return (hito_sha256_state *)made;
  }
  EVP_MD_CTX_free(made);
  return NULL;
}

void hito_sha256_free(hito_sha256_state *state) { EVP_MD_CTX_free(context(state)); }

int hito_sha256_update(hito_sha256_state *state, const void *bytes, size_t count) {
  return EVP_DigestUpdate(context(state), bytes, count);
}

int hito_sha256_finish(hito_sha256_state *state, uint8_t *digest) {
  return EVP_DigestFinal_ex(context(state), digest, NULL);
}

// The key is a context that was made ready once; each use works on a copy.
hito_hmac_key *hito_hmac_key_take(const void *key, size_t count) {
  EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  EVP_MAC_CTX *made = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
  EVP_MAC_free(hmac);
  char name[] = "SHA256";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_construct_end()};
  if (made != NULL && EVP_MAC_init(made, key, count, params) == 1) return (hito_hmac_key *)made;
  EVP_MAC_CTX_free(made);
  return NULL;
}

void hito_hmac_key_free(hito_hmac_key *key) { EVP_MAC_CTX_free((EVP_MAC_CTX *)key); }

int hito_hmac(const hito_hmac_key *key, const void *bytes, size_t count, uint8_t *code) {
  EVP_MAC_CTX *copy = EVP_MAC_CTX_dup((const EVP_MAC_CTX *)key);
  size_t written = 0;
  int ok = copy != NULL && EVP_MAC_update(copy, bytes, count) == 1 &&
           EVP_MAC_final(copy, code, &written, HITO_SHA256_SIZE) == 1 && written == HITO_SHA256_SIZE;
  EVP_MAC_CTX_free(copy);
  return ok;
}

int hito_is_equal(const void *left, const void *right, size_t count) {
  return CRYPTO_memcmp(left, right, count) == 0;
}

int hito_random(uint8_t *bytes, size_t count) {
  while (count > 0) {
    int part = count > 4096 ? 4096 : (int)count;
    if (RAND_bytes(bytes, part) != 1) return 0;
    bytes += part;
    count -= (size_t)part;
  }
  return 1;
}
