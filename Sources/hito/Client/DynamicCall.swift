import DescriptorJSON
import HitoClient
import JSON

/// One call of a method that only the server's contract knows.
struct DynamicCall {
  let transport: any ClientTransport
  let schema: Schema
  let method: DescriptorJSON.Method
  let options: CallOptions
  let style: JSONValue.ShownStyle
  /// What of each answer is shown; nil: all of it.
  let pick: PickedField?
  /// How many answers of a stream to take; nil for all.
  let limit: Int?
  let showsTrailers: Bool

  func run(_ requests: [RawMessage]) async throws {
    let descriptor = method.descriptor
    let single = requests.first ?? RawMessage([])
    switch descriptor.kind {
    case .unary:
      var options = options
      if showsTrailers { options.onMetadata = CallMetadata.show }
      let answer = try await BusyLine.during("waiting for the answer") {
        try await transport.unary(
          descriptor, single, returning: RawMessage.self, options: options)
      }
      try show(try decode(answer))
    case .serverStreaming:
      try await show(
        try await transport.serverStreaming(
          descriptor, single, returning: RawMessage.self, options: options))
    case .clientStreaming:
      let call = try await transport.clientStreaming(
        descriptor, sending: RawMessage.self, returning: RawMessage.self, options: options)
      for request in requests { try await call.write(request) }
      try show(try decode(try await call.finish()))
      if showsTrailers { CallMetadata.show(call.responseMetadata) }
    case .bidirectional:
      let call = try await transport.bidirectional(
        descriptor, sending: RawMessage.self, returning: RawMessage.self, options: options)
      // Both ways at once: a server may answer before it has read everything.
      async let sent: Void = send(requests, call)
      try await show(call.responses)
      try await sent
    }
  }

  private func send(
    _ requests: [RawMessage], _ call: BidirectionalCall<RawMessage, RawMessage>
  ) async throws {
    for request in requests { try await call.write(request) }
    try await call.finishWriting()
  }

  private func show(_ responses: ResponseStream<RawMessage>) async throws {
    var count = 0
    for try await response in responses {
      try show(try decode(response))
      count += 1
      if count == limit { return responses.cancel() }
    }
    if showsTrailers { CallMetadata.show(responses.responseMetadata) }
  }

  private func decode(_ message: RawMessage) throws -> JSONValue {
    do {
      return try schema.decode(message.bytes, as: schema.messages[method.output])
    } catch {
      throw CommandFailure("the answer is not what the contract says: \(error)")
    }
  }

  private func show(_ node: JSONValue) throws(CommandFailure) {
    guard let pick else { return Output.line(node.shown(style)) }
    Output.line(try pick.text(of: node, style))
  }
}

extension DescriptorJSON.Method {
  fileprivate var descriptor: MethodDescriptor {
    let kind: MethodKind =
      switch (isClientStreaming, isServerStreaming) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): .clientStreaming
      case (true, true): .bidirectional
      }
    return MethodDescriptor(path: path, kind: kind, isReadOnly: isReadOnly)
  }
}
