/// Something that happens around every call of a client: one shape for unary calls and streams.
public protocol ClientInterceptor: Sendable {
  /// Makes a call by calling `next`, with these options or others.
  ///
  /// `next` returns with the reply of a unary call, and with the open call where there is a stream.
  func intercept<Result: Sendable>(
    _ method: MethodDescriptor, _ options: CallOptions,
    _ next: (CallOptions) async throws(RPCError) -> Result
  ) async throws(RPCError) -> Result
}

/// A transport with interceptors around each of its calls, the first outermost.
public struct InterceptedTransport: ClientTransport {
  private let base: any ClientTransport
  private let interceptors: [any ClientInterceptor]

  public init(_ base: any ClientTransport, _ interceptors: [any ClientInterceptor]) {
    self.base = base
    self.interceptors = interceptors
  }

  public func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> Response {
    try await call(method, options) { options throws(RPCError) in
      try await base.unary(method, request, returning: returning, options: options)
    }
  }

  public func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response> {
    try await call(method, options) { options throws(RPCError) in
      try await base.serverStreaming(method, request, returning: returning, options: options)
    }
  }

  public func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ClientStreamingCall<Request, Response> {
    try await call(method, options) { options throws(RPCError) in
      try await base.clientStreaming(
        method, sending: sending, returning: returning, options: options)
    }
  }

  public func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> BidirectionalCall<Request, Response> {
    try await call(method, options) { options throws(RPCError) in
      try await base.bidirectional(
        method, sending: sending, returning: returning, options: options)
    }
  }

  private func call<Result: Sendable>(
    _ method: MethodDescriptor, _ options: CallOptions, from index: Int = 0,
    _ last: (CallOptions) async throws(RPCError) -> Result
  ) async throws(RPCError) -> Result {
    guard index < interceptors.count else { return try await last(options) }
    return try await interceptors[index].intercept(method, options) { options throws(RPCError) in
      try await call(method, options, from: index + 1, last)
    }
  }
}
