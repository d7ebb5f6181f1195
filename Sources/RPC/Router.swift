/// The methods that a server serves: path to handler, built once before it starts.
package struct Router: Sendable {
  private var routes: [String: Route] = [:]

  package init() {}

  /// The route for a method path, if there is one.
  package subscript(path: String) -> Route? { routes[path] }

  /// All methods, sorted by path.
  package var methods: [MethodDescriptor] {
    routes.values.map(\.method).sorted { $0.path < $1.path }
  }

  package mutating func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body: @escaping @Sendable (Request, CallContext) async throws -> Response
  ) {
    add(
      method,
      .unary { bytes, limits throws(DecodeError) in
        let request = try Request.decode(bytes, limits: limits)
        return { context in try await body(request, context) }
      })
  }

  package mutating func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body:
      @escaping @Sendable (Request, CallContext, ResponseWriter<Response>) async throws -> Void
  ) {
    add(
      method,
      .streaming { stream, context in
        let request = try await Self.singleRequest(of: stream, as: Request.self)
        try await body(request, context, ResponseWriter(stream))
      })
  }

  package mutating func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body: @escaping @Sendable (RequestStream<Request>, CallContext) async throws -> Response
  ) {
    add(
      method,
      .streaming { stream, context in
        let response = try await body(RequestStream(stream), context)
        try await stream.write(response, resumeCursor: nil)
      })
  }

  package mutating func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor,
    _ body:
      @escaping @Sendable (
        RequestStream<Request>, CallContext, ResponseWriter<Response>
      ) async throws -> Void
  ) {
    add(
      method,
      .streaming { stream, context in
        try await body(RequestStream(stream), context, ResponseWriter(stream))
      })
  }

  /// Lets everybody call the methods of `service` (`hito.v1.HealthService`), without a token.
  package mutating func allowUnauthenticated(service: String) {
    for (path, route) in routes where route.method.service == service {
      routes[path]?.isPublic = true
    }
    publicServices.insert(service)
  }

  /// Lets everybody call one method that was added before, without a token.
  package mutating func allowUnauthenticated(method: MethodDescriptor) {
    routes[method.path]?.isPublic = true
  }

  private var publicServices: Set<String> = []

  private mutating func add(_ method: MethodDescriptor, _ body: Route.Body) {
    let isPublic = publicServices.contains(String(method.service))
    routes[method.path] = Route(method: method, isPublic: isPublic, body: body)
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

/// One method and its handler, with the message types erased.
package struct Route: Sendable {
  /// A decoded request bound to its handler.
  package typealias Invocation = @Sendable (CallContext) async throws -> any WireMessage

  package enum Body: Sendable {
    /// Decodes at once, while the bytes are still in the connection's buffer; runs later.
    case unary(
      @Sendable (UnsafeRawBufferPointer, DecodeLimits) throws(DecodeError) -> Invocation)
    case streaming(@Sendable (any ServerStream, CallContext) async throws -> Void)
  }

  package let method: MethodDescriptor
  /// Whether the method needs no principal.
  package fileprivate(set) var isPublic: Bool
  package let body: Body
}
