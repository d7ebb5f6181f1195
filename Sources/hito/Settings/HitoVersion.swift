/// The version of Hito; the contract's version is in its package name, the wire's in its ALPN name.
enum HitoVersion {
  static let current = "0.1.0"
}
