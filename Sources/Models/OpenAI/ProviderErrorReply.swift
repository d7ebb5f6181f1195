import JSON

/// What a provider says when it does not do what it was asked; of its words only known names count.
enum ProviderErrorReply {
  struct Details {
    private var code: JSONValue?
    private var type: JSONValue?
    private var parameter: String?
    /// What was said, as a whole.
    private var text: [UInt8]

    /// Some providers send the error as a text alone.
    init(_ json: JSONValue) {
      self.init(json, text: Array(json.text.utf8))
    }

    init(_ json: JSONValue?, text: [UInt8]) {
      code = json?["code"]
      type = json?["type"]
      parameter = json?["param"]?.stringValue
      self.text = text
    }

    /// Where the error itself names an HTTP status.
    var status: Int? {
      let number = code?.integerValue ?? code?.stringValue.flatMap { Int64($0) }
      return number.flatMap { (400..<600).contains($0) ? Int($0) : nil }
    }

    private var names: Set<String> { Set([code, type].compactMap { $0?.stringValue }) }

    func failure(status: Int, retryAfter: Duration? = nil) -> ProviderFailure {
      let names = names
      if !names.isDisjoint(with: ProviderErrorReply.tooLongNames) { return .promptTooLong }
      if names.contains("insufficient_quota") { return .refused(.quota, status: status) }
      if !names.isDisjoint(with: ProviderErrorReply.filterNames) {
        return .refused(.content, status: status)
      }
      if ProviderErrorReply.requestStatuses.contains(status) {
        if let limit = InputLimit(refusal: text) { return .inputTooLarge(limit) }
        if status == 413 { return .promptTooLong }
        let refusal = ParameterRefusal(parameter: parameter, text: text)
        if !refusal.named.isEmpty { return .parameterRefused(refusal, status: status) }
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

  /// Those that servers refuse a request's size or form with.
  private static let requestStatuses: Set<Int> = [400, 405, 406, 413, 415, 422, 500, 501]
  private static let tooLongNames: Set<String> = [
    "exceed_context_size_error", "context_length_exceeded",
  ]
  private static let filterNames: Set<String> = ["content_filter", "content_policy_violation"]

  /// What an answer with `status` other than 200 means.
  static func failure(status: Int, body: [UInt8], retryAfter: Duration?) -> ProviderFailure {
    let json = try? JSONValue(answer: body)
    let error = json?["error"].flatMap { $0 == .null ? nil : $0 } ?? json
    return Details(error, text: body).failure(status: status, retryAfter: retryAfter)
  }
}
