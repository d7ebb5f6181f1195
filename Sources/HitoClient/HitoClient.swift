@_exported public import Contract
internal import OpenSSL
@_exported public import RPC
internal import Transport
@_exported public import Wire

/// A client of a Hito server.
///
///     let client = try await HitoClient.connect(
///       address: "127.0.0.1:7443", tls: .authority(file: "ca.pem"), token: token)
///     let goal = try await client.goals.createGoal(request)
///
/// One connection serves many concurrent calls; where it has no room there are more. They are made again when they
/// are lost, and calls that may be repeated are repeated (PROTOCOL.md, W14). How it all behaves is in
/// `clients/BEHAVIOUR.md`, what of it can be chosen in `HitoClientConfiguration`, and what one call is to have of its
/// own (time, token, trace, copies, whether it waits for a server) in `CallOptions`.
public final class HitoClient: Sendable {
  /// For stubs that are not among the properties, and for descriptors made at run time.
  public let transport: any ClientTransport
  private let connection: HitoTransport

  private init(_ connection: HitoTransport, _ interceptors: [any ClientInterceptor]) {
    self.connection = connection
    transport = InterceptedTransport(connection, interceptors + [ScopeInterceptor()])
  }

  /// Connects to `address` (`host`, `host:port`, `[::1]:port`, or several with commas between them) and
  /// checks that a server answers.
  ///
  /// Throws UNAVAILABLE when none can be reached or no certificate is trusted, and INVALID_ARGUMENT for
  /// an address or a file that cannot be used.
  public static func connect(
    address: String, tls: HitoClientTLS = .system, token: String? = nil,
    interceptors: [any ClientInterceptor] = []
  ) async throws(RPCError) -> HitoClient {
    let client = try make(address: address, tls: tls, token: token, interceptors: interceptors)
    do throws(RPCError) {
      try await client.connection.connect()
    } catch {
      client.close()
      throw error
    }
    return client
  }

  /// The same without connecting: the first call does.
  ///
  /// - Parameters:
  ///   - compresses: see `HitoClientConfiguration`.
  ///   - interceptors: around each call, the first outermost.
  public static func make(
    address: String, tls: HitoClientTLS = .system, token: String? = nil, compresses: Bool = false,
    interceptors: [any ClientInterceptor] = []
  ) throws(RPCError) -> HitoClient {
    guard let addresses = HitoAddress.list(address) else {
      throw RPCError(.invalidArgument, "not an address: \(address) (expected host:port)")
    }
    var configuration = HitoClientConfiguration(addresses: addresses, tls: tls, token: token)
    configuration.compresses = compresses
    return try HitoClient(configuration, interceptors: interceptors)
  }

  /// A client that connects with its first call.
  ///
  /// Throws INVALID_ARGUMENT without an address, for a file that cannot be used, and for a token beside a provider of
  /// tokens.
  ///
  /// - Parameter interceptors: around each call, the first outermost.
  public convenience init(
    _ configuration: HitoClientConfiguration, interceptors: [any ClientInterceptor] = []
  ) throws(RPCError) {
    guard let first = configuration.addresses.first else {
      throw RPCError(.invalidArgument, "a client wants at least one address")
    }
    guard configuration.token == nil || configuration.tokenProvider == nil else {
      throw RPCError(.invalidArgument, "a client has a token, or a provider of tokens")
    }
    let tls = configuration.tls
    let context: TLSContext
    do throws(TLSError) {
      context = try .client(
        authorityFile: tls.authorityFile, certificateFile: tls.certificateFile,
        keyFile: tls.keyFile)
    } catch {
      throw RPCError(.invalidArgument, error.description)
    }
    var settings = ClientConfiguration(
      host: first.host, port: first.port, tls: context, token: configuration.token)
    settings.serverName = tls.serverName
    settings.agent = configuration.agent
    settings.compresses = configuration.compresses
    configuration.apply(to: &settings)
    settings.retryAdvice = { RetryAdvice($0) }
    let others = configuration.addresses.dropFirst().map { ($0.host, $0.port) }
    self.init(HitoTransport(settings, others: others), interceptors)
  }

  /// Whether `close` was called: calls fail from then on.
  public var isClosed: Bool { connection.isClosed }

  /// Ends the connections, all running calls, and what waits to be repeated.
  public func close() {
    connection.close()
  }

  /// Whether calls with these options have tokens of the client's provider.
  func hasProvidedTokens(_ options: CallOptions) -> Bool {
    connection.hasTokenProvider && options.token == nil
  }

  /// Waits before a stream is taken up again: within the bound for the repeats of all calls, and no longer than the
  /// client is open.
  func rest(
    _ method: MethodDescriptor, after failure: RPCError?, for delay: Duration
  ) async throws(RPCError) {
    let paced = delay + connection.repeatDelay()
    connection.log?.watchResumed(method, after: failure, delay: paced)
    try await connection.rest(for: paced)
  }
}

/// Whom a client trusts, and who it is.
public struct HitoClientTLS: Sendable, Hashable {
  /// A PEM file of the only authority to trust; nil = the system's trust store.
  public var authorityFile: String?
  /// The name that the server's certificate must carry; nil = the address's host.
  public var serverName: String?
  /// A client certificate and its key, PEM files.
  public var certificateFile: String?
  public var keyFile: String?

  public init(
    authorityFile: String? = nil, serverName: String? = nil, certificateFile: String? = nil,
    keyFile: String? = nil
  ) {
    self.authorityFile = authorityFile
    self.serverName = serverName
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }

  /// Trusts what the system trusts.
  public static let system = HitoClientTLS()

  /// Trusts one authority only.
  public static func authority(file: String) -> HitoClientTLS {
    HitoClientTLS(authorityFile: file)
  }
}
