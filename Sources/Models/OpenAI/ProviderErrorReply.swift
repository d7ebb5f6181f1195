/// What a provider says when it does not do what it was asked; of its words only known names count.
enum ProviderErrorReply {
  struct Details: Decodable {
    /// A name, a status, or nothing.
    private enum Code: Decodable {
      case name(String)
      case status(Int)
      case other

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let status = try? container.decode(Int.self) {
          self = .status(status)
        } else if let name = try? container.decode(String.self) {
          self = .name(name)
        } else {
          self = .other
        }
      }
    }

    private var code: Code?
    private var type: Code?

    private enum CodingKeys: String, CodingKey {
      case code, type
    }

    /// Some providers send the error as a text alone.
    init(from decoder: any Decoder) throws {
      guard let container = try? decoder.container(keyedBy: CodingKeys.self) else { return }
      code = try? container.decodeIfPresent(Code.self, forKey: .code)
      type = try? container.decodeIfPresent(Code.self, forKey: .type)
    }

    init() {}

    /// Where the error itself names an HTTP status.
    var status: Int? {
      if case .status(let status) = code, (400..<600).contains(status) { status } else { nil }
    }

    private var names: Set<String> {
      var names: Set<String> = []
      for case .name(let name) in [code, type].compactMap({ $0 }) { names.insert(name) }
      return names
    }

    func failure(status: Int, retryAfter: Duration? = nil) -> ProviderFailure {
      let names = names
      if status == 413 || !names.isDisjoint(with: ProviderErrorReply.tooLongNames) {
        return .promptTooLong
      }
      if names.contains("insufficient_quota") { return .refused(.quota, status: status) }
      if !names.isDisjoint(with: ProviderErrorReply.filterNames) {
        return .refused(.content, status: status)
      }
      switch status {
      case 429: return .rateLimited(retryAfter: retryAfter)
      case 500...: return .serverError(status: status, retryAfter: retryAfter)
      case 401, 403: return .refused(.key, status: status)
      case 404: return .refused(.notFound, status: status)
      default: return .refused(.request, status: status)
      }
    }
  }

  private struct Envelope: Decodable {
    var error: Details?
  }

  private static let tooLongNames: Set<String> = [
    "exceed_context_size_error", "context_length_exceeded",
  ]
  private static let filterNames: Set<String> = ["content_filter", "content_policy_violation"]

  /// What an answer with `status` other than 200 means.
  static func failure(status: Int, body: [UInt8], retryAfter: Duration?) -> ProviderFailure {
    let details = BoundedJSON.decode(Envelope.self, from: body)?.error ?? Details()
    return details.failure(status: status, retryAfter: retryAfter)
  }
}
