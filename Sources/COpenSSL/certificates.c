#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "COpenSSL.h"
#include "internal.h"

// MARK: Files

/// Writes a PEM file beside its name and renames it: readers see the old one or the new one.
static int write_pem(
    const char *path, mode_t mode, X509 *certificate, EVP_PKEY *key, char *error,
    size_t error_size) {
  char temporary[4096];
  char what[4200];
  snprintf(what, sizeof what, "cannot write %s", path);
  int count = snprintf(temporary, sizeof temporary, "%s.new", path);
  if (count < 0 || (size_t)count >= sizeof temporary) {
    hito_drain_errors("the path is too long", error, error_size);
    return 0;
  }
  unlink(temporary);
  int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) {
    snprintf(what, sizeof what, "cannot write %s: %s", path, strerror(errno));
    hito_drain_errors(what, error, error_size);
    return 0;
  }
  BIO *bio = BIO_new_fd(file, BIO_NOCLOSE);
  int ok = bio != NULL;
  if (ok && certificate) ok = PEM_write_bio_X509(bio, certificate);
  if (ok && key) ok = PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
  BIO_free(bio);
  ok = ok && fchmod(file, mode) == 0 && fsync(file) == 0;
  ok = (close(file) == 0) && ok;
  ok = ok && rename(temporary, path) == 0;
  if (!ok) {
    unlink(temporary);
    hito_drain_errors(what, error, error_size);
  }
  return ok;
}

static X509 *read_certificate(const char *path, char *error, size_t error_size) {
  BIO *bio = BIO_new_file(path, "r");
  X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  BIO_free(bio);
  if (!certificate) {
    char what[512];
    snprintf(what, sizeof what, "cannot read the certificate %s", path);
    hito_drain_errors(what, error, error_size);
  }
  return certificate;
}

static EVP_PKEY *read_key(const char *path, char *error, size_t error_size) {
  BIO *bio = BIO_new_file(path, "r");
  EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
  BIO_free(bio);
  if (!key) {
    char what[512];
    snprintf(what, sizeof what, "cannot read the private key %s", path);
    hito_drain_errors(what, error, error_size);
  }
  return key;
}

// MARK: Building

/// A certificate with everything but its extensions and signature. NULL on failure.
static X509 *new_certificate(EVP_PKEY *key, const char *common_name, int days) {
  X509 *certificate = X509_new();
  unsigned char serial[16];
  BIGNUM *number = NULL;
  int ok = certificate && RAND_bytes(serial, sizeof serial) == 1;
  if (ok) {
    serial[0] &= 0x7f;  // serial numbers are positive
    number = BN_bin2bn(serial, sizeof serial, NULL);
  }
  ok = ok && number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
  ok = ok && X509_set_version(certificate, X509_VERSION_3);
  // An hour back, for clocks that disagree.
  ok = ok && X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  ok = ok && X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, NULL);
  ok = ok && X509_set_pubkey(certificate, key);
  ok = ok && X509_NAME_add_entry_by_txt(
                 X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                 (const unsigned char *)common_name, -1, -1, 0);
  BN_free(number);
  if (ok) return certificate;
  X509_free(certificate);
  return NULL;
}

static int add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  int ok = extension && X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
  return ok;
}

/// One subject alternative name: built by hand, because the text form would be parsed.
static GENERAL_NAME *new_name(const char *name) {
  unsigned char address[16];
  int count = inet_pton(AF_INET, name, address) == 1    ? 4
              : inet_pton(AF_INET6, name, address) == 1 ? 16
                                                        : 0;
  GENERAL_NAME *general = GENERAL_NAME_new();
  ASN1_STRING *value = ASN1_STRING_type_new(count ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  int ok = general && value &&
           (count ? ASN1_STRING_set(value, address, count) : ASN1_STRING_set(value, name, -1));
  if (!ok) {
    ASN1_STRING_free(value);
    GENERAL_NAME_free(general);
    return NULL;
  }
  GENERAL_NAME_set0_value(general, count ? GEN_IPADD : GEN_DNS, value);
  return general;
}

static int add_names(X509 *certificate, const char *const *names, size_t count) {
  GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
  int ok = list != NULL;
  for (size_t i = 0; ok && i < count; i++) {
    GENERAL_NAME *name = new_name(names[i]);
    ok = name && sk_GENERAL_NAME_push(list, name) > 0;
    if (!ok) GENERAL_NAME_free(name);
  }
  ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0) == 1;
  GENERAL_NAMES_free(list);
  return ok;
}

// MARK: What Swift calls

int hito_tls_create_authority(
    const char *certificate_file, const char *key_file, const char *common_name, int days,
    char *error, size_t error_size) {
  ERR_clear_error();
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = key ? new_certificate(key, common_name, days) : NULL;
  int ok = certificate &&
           X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) &&
           add_extension(
               certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, certificate, NID_subject_key_identifier, "hash") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
  if (!ok) hito_drain_errors("cannot create a certificate authority", error, error_size);
  ok = ok && write_pem(key_file, 0600, NULL, key, error, error_size) &&
       write_pem(certificate_file, 0644, certificate, NULL, error, error_size);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return ok;
}

int hito_tls_create_server_certificate(
    const char *authority_certificate_file, const char *authority_key_file,
    const char *certificate_file, const char *key_file, const char *const *names, size_t name_count,
    int days, char *error, size_t error_size) {
  ERR_clear_error();
  X509 *authority = read_certificate(authority_certificate_file, error, error_size);
  EVP_PKEY *authority_key = authority ? read_key(authority_key_file, error, error_size) : NULL;
  EVP_PKEY *key = NULL;
  X509 *certificate = NULL;
  int ok = 0;
  if (!authority_key || name_count == 0) goto done;
  key = EVP_EC_gen("P-256");
  certificate = key ? new_certificate(key, names[0], days) : NULL;
  ok = certificate && X509_set_issuer_name(certificate, X509_get_subject_name(authority)) &&
       add_extension(certificate, authority, NID_basic_constraints, "critical,CA:FALSE") &&
       add_extension(certificate, authority, NID_key_usage, "critical,digitalSignature") &&
       add_extension(certificate, authority, NID_ext_key_usage, "serverAuth") &&
       add_extension(certificate, authority, NID_subject_key_identifier, "hash") &&
       add_extension(certificate, authority, NID_authority_key_identifier, "keyid:always") &&
       add_names(certificate, names, name_count) &&
       X509_sign(certificate, authority_key, EVP_sha256()) > 0;
  if (!ok) hito_drain_errors("cannot create a server certificate", error, error_size);
  ok = ok && write_pem(key_file, 0600, NULL, key, error, error_size) &&
       write_pem(certificate_file, 0644, certificate, NULL, error, error_size);
done:
  X509_free(certificate);
  EVP_PKEY_free(key);
  EVP_PKEY_free(authority_key);
  X509_free(authority);
  return ok;
}

static int unix_seconds(const ASN1_TIME *time, int64_t *seconds) {
  struct tm parts;
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  *seconds = (int64_t)timegm(&parts);
  return 1;
}

int hito_tls_certificate_validity(
    const char *certificate_file, int64_t *not_before, int64_t *not_after, char *subject,
    size_t subject_size, char *error, size_t error_size) {
  ERR_clear_error();
  X509 *certificate = read_certificate(certificate_file, error, error_size);
  if (!certificate) return 0;
  int ok = unix_seconds(X509_get0_notBefore(certificate), not_before) &&
           unix_seconds(X509_get0_notAfter(certificate), not_after);
  if (!ok) hito_drain_errors("the certificate has no valid dates", error, error_size);
  subject[0] = '\0';
  X509_NAME_oneline(X509_get_subject_name(certificate), subject, (int)subject_size);
  X509_free(certificate);
  return ok;
}
