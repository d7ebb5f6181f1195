/// The methods that a server serves: path to handler, built once before it starts.
///
/// A method is served by its rule: one without a rule is refused. Around each method's own code run,
/// from the outside: the outer interceptors, which see every call; the check of the rule; the inner
/// interceptors, which see the calls that were let in and know their caller.
package struct Router: Sendable {
  private var routes: [String: Route] = [:]
  /// All methods, in the order of their registration: by `Route.index`.
  package private(set) var routesByIndex: [MethodDescriptor] = []
  private let outer: [any ServerInterceptor]
  private let inner: [any ServerInterceptor]

  /// - Parameters:
  ///   - outer: around all calls, the first outermost.
  ///   - inner: around calls that were let in, the first outermost.
  package init(outer: [any ServerInterceptor] = [], inner: [any ServerInterceptor] = []) {
    self.outer = outer
    self.inner = inner
  }

  /// The route for a method path, if there is one.
  package subscript(path: String) -> Route? { routes[path] }

  /// All methods, sorted by path.
  package var methods: [MethodDescriptor] {
    routes.values.map(\.method).sorted { $0.path < $1.path }
  }

  package mutating func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body: @escaping @Sendable (Request, CallContext) async throws -> Response
  ) throws(RegistrationError) {
    try add(method) { handler in
      .unary { bytes, limits throws(DecodeError) in
        let request = try Request.decode(bytes, limits: limits)
        return Route.Invocation(handler) { context in try await body(request, context) }
      }
    }
  }

  package mutating func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body:
      @escaping @Sendable (Request, CallContext, ResponseWriter<Response>) async throws -> Void
  ) throws(RegistrationError) {
    try streaming(method) { stream, context in
      let request = try await Self.singleRequest(of: stream, as: Request.self)
      try await body(request, context, ResponseWriter(stream))
    }
  }

  package mutating func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body: @escaping @Sendable (RequestStream<Request>, CallContext) async throws -> Response
  ) throws(RegistrationError) {
    try streaming(method) { stream, context in
      let response = try await body(RequestStream(stream), context)
      try await stream.write(response, resumeCursor: nil)
    }
  }

  package mutating func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body:
      @escaping @Sendable (
        RequestStream<Request>, CallContext, ResponseWriter<Response>
      ) async throws -> Void
  ) throws(RegistrationError) {
    try streaming(method) { stream, context in
      try await body(RequestStream(stream), context, ResponseWriter(stream))
    }
  }

  /// Answers UNIMPLEMENTED to those who may call the method.
  package mutating func unimplemented(_ method: MethodDescriptor) throws(RegistrationError) {
    let error = RPCError(.unimplemented, "\(method.path) is not implemented")
    guard method.kind == .unary else { return try streaming(method) { _, _ in throw error } }
    try add(method) { handler in
      .unary { _, _ in Route.Invocation(handler) { _ in throw error } }
    }
  }

  private mutating func streaming(
    _ method: MethodDescriptor,
    _ body: @escaping @Sendable (any ServerStream, CallContext) async throws -> Void
  ) throws(RegistrationError) {
    try add(method) { handler in
      .streaming { stream, context in
        _ = try await handler(context) { context in
          try await body(stream, context)
          return nil
        }
      }
    }
  }

  private mutating func add(
    _ method: MethodDescriptor, _ body: (@escaping CallHandler) -> Route.Body
  ) throws(RegistrationError) {
    guard let rule = method.rule else { throw RegistrationError.noRule(method.path) }
    guard routes[method.path] == nil else { throw RegistrationError.registeredTwice(method.path) }
    var handler: CallHandler = { context, call in try await call(context) }
    for interceptor in (outer + [AccessInterceptor()] + inner).reversed() {
      handler = interceptor.intercept(method, rule, handler)
    }
    routes[method.path] = Route(
      method: method, rule: rule, body: body(handler), index: routesByIndex.count)
    routesByIndex.append(method)
  }

  /// The one request message of a method that has one (W5.8).
  private static func singleRequest<Request: WireMessage>(
    of stream: any ServerStream, as type: Request.Type
  ) async throws(RPCError) -> Request {
    guard let request = try await stream.nextRequest(as: type) else {
      throw RPCError(.invalidArgument, "the call ended without its request message")
    }
    return request
  }
}

/// Why a method cannot be served.
package enum RegistrationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The descriptor says nothing of who may call it.
  case noRule(String)
  case registeredTwice(String)

  package var description: String {
    switch self {
    case .noRule(let path): "\(path) has no rule: it would not be known who may call it"
    case .registeredTwice(let path): "\(path) is registered twice"
    }
  }
}

/// One method and what runs its calls, with the message types erased.
package struct Route: Sendable {
  /// A decoded request, bound to its method's code and to what runs around it.
  package struct Invocation: Sendable {
    private let handler: CallHandler
    private let call: BoundCall

    fileprivate init(_ handler: @escaping CallHandler, _ call: @escaping BoundCall) {
      self.handler = handler
      self.call = call
    }

    package func callAsFunction(_ context: CallContext) async throws -> any WireMessage {
      guard let reply = try await handler(context, call) else {
        throw RPCError(.internal, "internal error")
      }
      return reply
    }
  }

  package enum Body: Sendable {
    /// Decodes at once, while the bytes are still in the connection's buffer; runs later.
    case unary(
      @Sendable (UnsafeRawBufferPointer, DecodeLimits) throws(DecodeError) -> Invocation)
    case streaming(@Sendable (any ServerStream, CallContext) async throws -> Void)
  }

  package let method: MethodDescriptor
  package let rule: MethodRule
  package let body: Body
  /// The place in tables of all routes.
  package let index: Int

  /// Whether callers need no token.
  package var isOpenToAll: Bool { rule.callers == .anybody }
}
