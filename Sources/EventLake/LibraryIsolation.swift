import CArrow

/// Proof that OpenSSL's functions are the system's: the Arrow that comes out of pyarrow's wheel
/// carries a libcrypto of its own, under the same names.
package struct LibraryIsolation: Sendable, Hashable {
  /// The libparquet of this process.
  package var parquetPath: String
  package var arrowVersion: String
  /// Functions of libcrypto and libssl, and the object that a caller in this process gets;
  /// nil where nothing in the global scope has the function.
  package var origins: [String: String]
  /// Functions that libparquet shows to others: each could take the place of the system's.
  package var exposed: [String]

  /// True where no function of OpenSSL can come from libparquet.
  package var isIsolated: Bool {
    exposed.isEmpty && !origins.values.contains { $0 == parquetPath }
  }

  /// Names from the parts of OpenSSL that libssl and libpq call.
  package static let symbols = [
    "CRYPTO_malloc", "CRYPTO_free", "CRYPTO_THREAD_run_once", "OPENSSL_init_crypto",
    "OPENSSL_cleanse", "OpenSSL_version", "OpenSSL_version_num", "ERR_get_error",
    "ERR_clear_error", "RAND_bytes", "EVP_DigestInit_ex", "EVP_MD_CTX_new", "EVP_EncryptUpdate",
    "EVP_PKEY_free", "EVP_aes_256_gcm", "EVP_CIPHER_CTX_new", "X509_free", "X509_verify_cert",
    "X509_STORE_CTX_new", "BIO_new", "BIO_read", "BIO_s_mem", "ASN1_STRING_get0_data", "BN_new",
    "EC_KEY_free", "PEM_read_bio_X509", "OPENSSL_sk_num", "OSSL_PROVIDER_load",
  ]

  package static func inspect() -> LibraryIsolation {
    var origins: [String: String] = [:]
    for symbol in symbols { origins[symbol] = path { carrow_symbol_origin(symbol, $0, $1) } }
    let parquetPath = path { carrow_parquet_path($0, $1) } ?? ""
    return LibraryIsolation(
      parquetPath: parquetPath,
      arrowVersion: String(cString: carrow_version()),
      origins: origins,
      exposed: symbols.filter { symbol in
        // Apache's libparquet is linked to the system's libcrypto: that one does no harm.
        path { carrow_parquet_symbol_origin(symbol, $0, $1) } == parquetPath
      })
  }

  private static func path(
    _ body: (UnsafeMutablePointer<CChar>, Int) -> Int32
  ) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
      guard let start = buffer.baseAddress, body(start, buffer.count) == 1 else { return nil }
      return String(cString: start)
    }
  }
}
