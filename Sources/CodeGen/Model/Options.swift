/// What one run of the plugin makes. Comes from the text after `--hito_opt=`.
package struct Options: Sendable {
  package enum Mode: Sendable, Hashable {
    /// Swift types, codecs, handlers and client stubs.
    case swift
    /// The stubs of a client, of one of `ClientLanguages`.
    case client(language: String)
    /// The descriptor set as a C constant.
    case descriptors
    /// The documentation's table of who may call which method.
    case access
    /// Nothing, or an error for every change that breaks an old client.
    case compatibility(baseline: String)
  }

  package struct Swift: Sendable {
    /// The module with protobuf-c's structs.
    package var cModule = "CMessages"
    /// Further import lines of each file.
    package var imports: [String] = []
    /// Whether other modules may use the types. The tests' fixture is internal: it sees the codec's
    /// protocols through a testable import.
    package var isPublic = true

    var publicAccess: String { isPublic ? "public " : "" }
    var packageAccess: String { isPublic ? "package " : "" }
    var rpcImport: String { isPublic ? "public import RPC" : "internal import RPC" }
  }

  /// What the messages of a client may be, where the generator writes them.
  package struct Client: Sendable, Hashable {
    /// Where the client's runtime is, seen from the output folder.
    package var runtime = ".."
    /// Whether 64 bits are a type of their own, where numbers of the language hold fewer.
    package var usesBigIntegers = false
    /// Whether messages may contain themselves: their readers bound the depth.
    package var allowsRecursion = false
  }

  package var mode: Mode
  package var swift = Swift()
  package var client = Client()
  /// The C name of the descriptor set.
  package var symbol = "hito_descriptor_set"

  /// `mode=swift,c_module=CMessages,import=Contract`; throws what it does not understand.
  package init(_ parameter: String) throws(Diagnostics) {
    var mode: String?
    var baseline: String?
    for pair in parameter.split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      let value = parts.count == 2 ? parts[1] : ""
      switch parts[0] {
      case "mode": mode = value
      case "c_module": swift.cModule = value
      case "import": swift.imports.append("internal import \(value)")
      case "testable_import": swift.imports.append("@testable internal import \(value)")
      case "access" where value == "internal": swift.isPublic = false
      case "runtime": client.runtime = value
      case "int64" where value == "bigint": client.usesBigIntegers = true
      case "recursion" where value == "allowed": client.allowsRecursion = true
      case "symbol": symbol = value
      case "baseline": baseline = value
      default:
        throw Diagnostics([Diagnostic(place: "--hito_opt", message: "unknown option \"\(pair)\"")])
      }
    }
    switch (mode, baseline) {
    case ("swift", nil): self.mode = .swift
    case ("descriptors", nil): self.mode = .descriptors
    case ("access", nil): self.mode = .access
    case ("compat", let path?): self.mode = .compatibility(baseline: path)
    case (let language?, nil) where language != "compat": self.mode = .client(language: language)
    default:
      let message =
        "mode must be swift, descriptors, access, the language of a client, or compat with baseline=<file>"
      throw Diagnostics([Diagnostic(place: "--hito_opt", message: message)])
    }
  }
}
