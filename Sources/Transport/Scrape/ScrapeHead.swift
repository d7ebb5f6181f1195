/// The head of a request to the metrics' port, as it comes. A pure value.
///
/// All that is understood is a GET of one path without a body, once on a connection.
struct ScrapeHead: Sendable, Hashable {
  static let byteCountMax = 8 << 10
  static let path = "/metrics"

  enum Step: Sendable, Hashable {
    case readOn
    case serve
    /// Answer with this status, and close.
    case refuse(Refusal)
  }

  enum Refusal: Int, Sendable, Hashable {
    case badRequest = 400
    case notFound = 404
    case methodNotAllowed = 405
    case headTooLarge = 431
    case versionNotSupported = 505

    var reason: String {
      switch self {
      case .badRequest: "Bad Request"
      case .notFound: "Not Found"
      case .methodNotAllowed: "Method Not Allowed"
      case .headTooLarge: "Request Header Fields Too Large"
      case .versionNotSupported: "HTTP Version Not Supported"
      }
    }
  }

  private var bytes: [UInt8] = []

  /// More of it came.
  mutating func received(_ more: some Collection<UInt8>) -> Step {
    let searched = max(0, bytes.count - 3)
    bytes.append(contentsOf: more.prefix(Self.byteCountMax + 1 - bytes.count))
    guard let end = Self.endOfHead(bytes[searched...]) else {
      return bytes.count > Self.byteCountMax ? .refuse(.headTooLarge) : .readOn
    }
    return Self.judge(bytes[..<end])
  }

  /// Where the empty line begins.
  private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
    let mark = Array("\r\n\r\n".utf8)
    guard bytes.count >= mark.count else { return nil }
    return (bytes.startIndex...bytes.endIndex - mark.count).first {
      bytes[$0..<$0 + mark.count].elementsEqual(mark)
    }
  }

  private static func judge(_ head: ArraySlice<UInt8>) -> Step {
    // Text of ASCII lines; anything else is no HTTP that anybody needs here.
    guard
      head.allSatisfy({ $0 == 0x0D || $0 == 0x0A || $0 == 0x09 || (0x20...0x7E).contains($0) })
    else { return .refuse(.badRequest) }
    // A line break is one character in Swift.
    let lines = String(decoding: head, as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    let isPlain = !lines.contains { $0.utf8.contains(0x0D) || $0.utf8.contains(0x0A) }
    let parts = lines[0].split(separator: " ", omittingEmptySubsequences: false)
    guard isPlain, parts.count == 3, !parts.contains(where: \.isEmpty),
      lines.dropFirst().allSatisfy({ $0.contains(":") })
    else { return .refuse(.badRequest) }
    guard parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else {
      return .refuse(parts[2].hasPrefix("HTTP/") ? .versionNotSupported : .badRequest)
    }
    let path = parts[1].prefix { $0 != "?" }
    guard path == Self.path else { return .refuse(.notFound) }
    guard parts[0] == "GET" else { return .refuse(.methodNotAllowed) }
    return .serve
  }
}
