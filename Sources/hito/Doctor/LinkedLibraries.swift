import Glibc

/// The C libraries of this very process, asked by the names of their own functions.
///
/// By `dlsym` and not by their headers: an executable must not import C modules that belong to
/// other targets, and what counts is what the process loaded, not what it was compiled with.
enum LinkedLibraries {
  static var openSSLVersion: String? {
    typealias Function = @convention(c) (Int32) -> UnsafePointer<CChar>?
    guard let function = symbol("OpenSSL_version", as: Function.self) else { return nil }
    return function(0).map { String(cString: $0) }
  }

  static var libpqVersion: String? {
    typealias Function = @convention(c) () -> Int32
    guard let function = symbol("PQlibVersion", as: Function.self) else { return nil }
    let version = function()
    return "\(version / 10_000).\(version % 10_000)"
  }

  static var protobufCVersion: String? {
    typealias Function = @convention(c) () -> UnsafePointer<CChar>?
    guard let function = symbol("protobuf_c_version", as: Function.self) else { return nil }
    return function().map { String(cString: $0) }
  }

  private static func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
    // RTLD_DEFAULT, which is a cast that Swift does not import.
    guard let pointer = dlsym(nil, name) else { return nil }
    return unsafeBitCast(pointer, to: type)
  }
}
