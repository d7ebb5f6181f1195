import FoundationEssentials

/// A provider's key. Neither printing nor reflection shows it.
package struct ProviderKey: Sendable, Hashable, CustomStringConvertible,
  CustomDebugStringConvertible,
  CustomReflectable
{
  private let text: String

  /// Nil: not what a key looks like; it would break the header that it is sent in.
  package init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= 4096,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    self.text = text
  }

  package var description: String { "(a key)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }

  var authorization: String { "Bearer \(text)" }
}

/// Why a model endpoint cannot be used as it is configured.
package enum ModelConfigurationError: Error, Sendable, Hashable {
  /// The setting, as people name it, and what is wrong with it; never its value.
  case invalid(setting: String, reason: String)
}

extension ModelConfigurationError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .invalid(let setting, let reason): "the model's \(setting) \(reason)"
    }
  }
}

/// How long each part of a call may take.
package struct ProviderTimeouts: Sendable, Hashable {
  package var connect: Duration
  /// From the request to the first byte of the answer. Long: a local server reads the whole prompt
  /// first, after everybody else's.
  package var firstByte: Duration
  /// Between two pieces of an answer.
  package var idle: Duration
  /// The whole call with its waits and repeats.
  package var whole: Duration

  package init(
    connect: Duration = .seconds(10), firstByte: Duration = .seconds(180),
    idle: Duration = .seconds(60), whole: Duration = .seconds(300)
  ) {
    self.connect = connect
    self.firstByte = firstByte
    self.idle = idle
    self.whole = whole
  }
}

/// Where a provider is and how it is called; the same for chat and for embeddings.
package struct ProviderEndpoint: Sendable {
  /// Up to the version, for example `https://api.example.com/v1`.
  package var baseURL: String
  package var model: String
  /// From the environment only; nil for servers that want none.
  package var key: ProviderKey?
  /// A PEM file of the only authorities to trust; nil: the system's.
  package var authorityFile: String?
  /// Allows `http` to other machines than this one, of the own network.
  package var allowsPlaintext: Bool
  package var timeouts: ProviderTimeouts
  package var retries: RetryPolicy
  package var breaker: CircuitBreakerPolicy
  package var concurrentCallMax: Int
  package var waitingCallMax: Int

  package init(
    baseURL: String, model: String, key: ProviderKey? = nil, authorityFile: String? = nil,
    allowsPlaintext: Bool = false,
    timeouts: ProviderTimeouts = ProviderTimeouts(), retries: RetryPolicy = RetryPolicy(),
    breaker: CircuitBreakerPolicy = CircuitBreakerPolicy(), concurrentCallMax: Int = 4,
    waitingCallMax: Int = 64
  ) {
    self.baseURL = baseURL
    self.model = model
    self.key = key
    self.authorityFile = authorityFile
    self.allowsPlaintext = allowsPlaintext
    self.timeouts = timeouts
    self.retries = retries
    self.breaker = breaker
    self.concurrentCallMax = concurrentCallMax
    self.waitingCallMax = waitingCallMax
  }

  /// Throws for what can never work; whether the provider is there is another question.
  package func validate() throws(ModelConfigurationError) {
    try validateURL()
    try require(
      !model.isEmpty && model.utf8.count <= 200
        && model.unicodeScalars.allSatisfy { $0.value > 0x20 },
      "name", "is empty, longer than 200 bytes, or has spaces in it")
    let times = [timeouts.connect, timeouts.firstByte, timeouts.idle, timeouts.whole]
    try require(
      times.allSatisfy { $0 > .zero && $0 <= .seconds(3600) }, "timeouts",
      "must be more than nothing and at most an hour")
    try require(
      (1...10).contains(retries.attemptCountMax) && retries.backoffFirst > .zero
        && retries.backoffMax >= retries.backoffFirst && retries.retryAfterMax >= .zero,
      "retries", "must be 1 to 10 attempts, with waits of more than nothing")
    try require(
      breaker.failureCountMax >= 1 && breaker.openFirst > .zero
        && breaker.openMax >= breaker.openFirst,
      "circuit breaker", "must open after 1 failure or more, for more than nothing")
    try require(
      (1...1024).contains(concurrentCallMax) && (0...65536).contains(waitingCallMax),
      "concurrency", "must be 1 to 1024 calls at once and at most 65536 waiting")
  }

  private func validateURL() throws(ModelConfigurationError) {
    guard let parts = URLComponents(string: baseURL), let host = parts.host, !host.isEmpty,
      let scheme = parts.scheme, ["http", "https"].contains(scheme)
    else {
      throw .invalid(setting: "URL", reason: "must be http:// or https:// with a host")
    }
    try require(
      parts.user == nil && parts.password == nil, "URL",
      "must not hold a user or a password: the key comes from the environment")
    try require(
      parts.query == nil && parts.fragment == nil, "URL", "must not have a query or a fragment")
    let reach = HostReach(host)
    try require(
      scheme == "https" || reach == .thisMachine || allowsPlaintext, "URL",
      "must be https://: over http:// prompts and key could be read on the way. A server of the own "
        + "network can be allowed: see docs/operations.md, Models")
    try require(
      scheme == "https" || reach != .everywhere, "URL",
      "must be https://: this address is not of the own network")
  }

  private func require(
    _ condition: Bool, _ setting: String, _ reason: String
  ) throws(ModelConfigurationError) {
    guard condition else { throw .invalid(setting: setting, reason: reason) }
  }

  /// The address of `path`, for example `chat/completions`.
  func url(_ path: String) -> String {
    baseURL.hasSuffix("/") ? baseURL + path : "\(baseURL)/\(path)"
  }
}
