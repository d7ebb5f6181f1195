import JSON

/// What a provider says when it does not do what it was asked; of its words only known names count.
enum ProviderErrorReply {
  struct Details {
    private var code: JSONValue?
    private var type: JSONValue?

    /// Some providers send the error as a text alone.
    init(_ json: JSONValue) {
      code = json["code"]
      type = json["type"]
    }

    init() {}

    /// Where the error itself names an HTTP status.
    var status: Int? {
      code?.integerValue.flatMap { (400..<600).contains($0) ? Int($0) : nil }
    }

    private var names: Set<String> { Set([code, type].compactMap { $0?.stringValue }) }

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

  private static let tooLongNames: Set<String> = [
    "exceed_context_size_error", "context_length_exceeded",
  ]
  private static let filterNames: Set<String> = ["content_filter", "content_policy_violation"]

  /// What an answer with `status` other than 200 means.
  static func failure(status: Int, body: [UInt8], retryAfter: Duration?) -> ProviderFailure {
    let details = (try? JSONValue(answer: body))?.errorDetails ?? Details()
    return details.failure(status: status, retryAfter: retryAfter)
  }
}
