/// HTTP/1.1 to other services: a request at a time, its answer as it comes.
///
/// libcurl with the system's OpenSSL does the work, all transfers of a client on one thread. Proxies
/// come from the environment (`https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`) and are never used
/// for this machine's own addresses; redirects are answers like others. TLS 1.2 or newer, with the
/// peer's certificate and name checked.
///
/// To cancel the task that waits for an answer, or to drop the answer, closes its connection at once.
package final class HTTPClient: Sendable {
  /// What a client may use at most, and whom it trusts.
  package struct Configuration: Sendable, Hashable {
    /// Name look-up, connection and TLS together.
    package var connectTimeout: Duration
    /// A PEM file of the only authorities to trust; nil: the system's trust store.
    package var authorityFile: String?
    /// All lines of a head together.
    package var headByteCountMax: Int
    /// What is kept of a body that its reader has not taken; then the peer waits.
    package var unreadByteCountMax: Int

    package init(
      connectTimeout: Duration = .seconds(10), authorityFile: String? = nil,
      headByteCountMax: Int = 1 << 16, unreadByteCountMax: Int = 1 << 18
    ) {
      self.connectTimeout = connectTimeout
      self.authorityFile = authorityFile
      self.headByteCountMax = headByteCountMax
      self.unreadByteCountMax = unreadByteCountMax
    }
  }

  private let configuration: Configuration
  private let loop: HTTPLoop

  /// Throws `.exhausted` where there is no memory or no thread for it.
  package init(_ configuration: Configuration = Configuration()) throws(HTTPError) {
    self.configuration = configuration
    loop = try HTTPLoop()
  }

  deinit { loop.stop() }

  /// Sends `request` and waits for the head of the answer, whatever its status.
  package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPAnswer {
    let transfer = HTTPTransfer(
      request, loop: loop, headByteCountMax: configuration.headByteCountMax,
      unreadByteCountMax: configuration.unreadByteCountMax)
    loop.start(
      transfer,
      try transfer.makeHandle(
        connectTimeout: configuration.connectTimeout, authorityFile: configuration.authorityFile))
    // To drop it ends the transfer, also where its head never comes.
    let owner = HTTPTransferOwner(transfer, loop, self)
    let head = try await transfer.head()
    return HTTPAnswer(head: head, owner: owner)
  }
}

/// What is asked for.
package struct HTTPRequest: Sendable {
  package var method: String
  /// `http` or `https`, absolute.
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(
    _ method: String, _ url: String, headers: [(name: String, value: String)] = [],
    body: [UInt8] = []
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }

  /// Whether no part of it could be taken for another part (RFC 9110 §5.5, §9.1).
  var isSendable: Bool {
    func isVisible(_ text: String) -> Bool {
      !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
    return isVisible(method) && isVisible(url)
      && (url.hasPrefix("https://") || url.hasPrefix("http://"))
      && headers.allSatisfy { name, value in
        isVisible(name) && !name.contains(":")
          && value.utf8.allSatisfy { ($0 >= 0x20 || $0 == 0x09) && $0 != 0x7F }
      }
  }
}

/// An answer whose body has not been read yet. For one task at a time.
package struct HTTPAnswer: Sendable {
  package let status: Int
  private let headers: [HTTPHead.Field]
  private let owner: HTTPTransferOwner

  init(head: HTTPHead, owner: HTTPTransferOwner) {
    status = head.status
    headers = head.fields
    self.owner = owner
  }

  /// The first header of this name, in whatever case.
  package func header(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name == name }?.value
  }

  /// The next piece of the body, never empty; nil at its end. The peer waits while nobody asks.
  package func next() async throws(HTTPError) -> [UInt8]? {
    try await owner.transfer.nextPiece()
  }
}

/// Why there is no answer, or no more of it.
package enum HTTPError: Error, Sendable, Hashable {
  /// No connection could be made in its time.
  case unreachable
  /// The peer's certificate is not trusted or names another host, or TLS could not be agreed on.
  case untrusted
  /// The connection ended before the answer did, or the answer is not HTTP.
  case broken
  /// The head is longer than is read.
  case headTooLarge
  /// The request cannot be made: its URL, method or a header.
  case invalidRequest
  /// No memory or no thread.
  case exhausted
  /// The waiting task was cancelled.
  case cancelled
}
