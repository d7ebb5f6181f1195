import HitoClient
import JSON

/// One call that the runner asked for.
struct Call: Sendable {
  private let request: JSONValue
  private let client: HitoClient
  private let resumed: AsyncStream<Void>

  init(_ request: JSONValue, client: HitoClient, resumed: AsyncStream<Void>) {
    self.request = request
    self.client = client
    self.resumed = resumed
  }

  func run() async -> Reply {
    let got = Got()
    do throws(RPCError) {
      let isLeft = try await make(got)
      return reply(isLeft || Task.isCancelled ? .cancelled : .ok, got)
    } catch {
      return failure(error) + [("messages", got.messages)] + got.said
    }
  }

  private func reply(_ status: StatusCode, _ got: Got) -> Reply {
    [
      ("status", .integer(Int64(status.rawValue))), ("messages", got.messages),
    ] + got.said
  }

  /// True where the reader left.
  private func make(_ got: Got) async throws(RPCError) -> Bool {
    switch request["method"]?.stringValue ?? "" {
    case "hito.v1.HealthService/Check":
      try await call(HealthCheckResponse.self, isReadOnly: true, got)
    case "hito.v1.HealthService/Watch":
      try await call(HealthCheckResponse.self, isReadOnly: true, got)
    case "hito.v1.GoalService/GetGoal":
      try await call(GetGoalResponse.self, isReadOnly: true, got)
    case "hito.v1.GoalService/CreateGoal":
      try await call(CreateGoalResponse.self, isReadOnly: false, got)
    case "hito.v1.GoalService/GenerateGoal":
      try await call(GenerateGoalResponse.self, isReadOnly: false, got)
    case "hito.v1.CourseService/IngestDocuments":
      try await call(IngestDocumentsResponse.self, isReadOnly: false, got)
    case "hito.v1.EventService/Consume":
      try await call(ConsumeResponse.self, isReadOnly: false, got)
    case "hito.v1.ProgressService/Watch" where request["resuming"]?.boolValue == true:
      try await resume(got)
    case "hito.v1.ProgressService/Watch":
      try await call(WatchResponse.self, isReadOnly: true, got)
    case let path: throw RPCError(.unimplemented, "the adapter does not have \(path)")
    }
  }

  private func call<Response: WireMessage>(
    _ type: Response.Type, isReadOnly: Bool, _ got: Got
  ) async throws(RPCError) -> Bool {
    let kinds: [String: MethodKind] = [
      "unary": .unary, "server_stream": .serverStreaming, "client_stream": .clientStreaming,
      "bidi": .bidirectional,
    ]
    let kind = kinds[request["kind"]?.stringValue ?? ""] ?? .unary
    let method = MethodDescriptor(
      path: request["method"]?.stringValue ?? "", kind: kind, isReadOnly: isReadOnly)
    let transport = client.transport
    switch kind {
    case .unary:
      var options = options
      options.onMetadata = { got.said(by: $0) }
      got.add(
        try await transport.unary(method, messages[0], returning: type, options: options))
      return false
    case .serverStreaming:
      let stream = try await transport.serverStreaming(
        method, messages[0], returning: type, options: options)
      return try await read(stream, got)
    case .clientStreaming where request["keep_open"]?.boolValue != true:
      let call = try await transport.clientStreaming(
        method, sending: RawMessage.self, returning: type, options: options)
      for message in messages { try await call.write(message) }
      got.add(try await call.finish())
      return false
    case .clientStreaming, .bidirectional:
      let call = try await transport.bidirectional(
        method, sending: RawMessage.self, returning: type, options: options)
      return try await talk(call, got)
    }
  }

  private func talk<Response: WireMessage>(
    _ call: BidirectionalCall<RawMessage, Response>, _ got: Got
  ) async throws(RPCError) -> Bool {
    let isInTurn = request["in_turn"]?.boolValue == true
    var responses = call.responses.makeAsyncIterator()
    for message in messages {
      try await call.write(message)
      if isInTurn, let response = try await responses.next() { got.add(response) }
    }
    if request["keep_open"]?.boolValue != true { try await call.finishWriting() }
    return try await read(call.responses, got)
  }

  private func read<Response: WireMessage>(
    _ stream: ResponseStream<Response>, _ got: Got
  ) async throws(RPCError) -> Bool {
    var iterator = stream.makeAsyncIterator()
    defer { got.said(by: stream.responseMetadata) }
    let leavesAfter = request["cancel_after"]?.integerValue
    let pausesAfter = request["pause_after"]?.integerValue
    while let response = try await iterator.next() {
      let count = Int64(got.add(response))
      if count == leavesAfter {
        stream.cancel()
        return true
      }
      if count == pausesAfter { for await _ in resumed { break } }
    }
    return false
  }

  private func resume(_ got: Got) async throws(RPCError) -> Bool {
    let watched: WatchRequest
    do throws(DecodeError) {
      watched = try WatchRequest.decode(messages[0].bytes)
    } catch {
      throw RPCError(.invalidArgument, error.description)
    }
    var watch = WatchOptions()
    watch.call = options
    let leavesAfter = request["cancel_after"]?.integerValue
    var iterator = client.watch(watched, options: watch).makeAsyncIterator()
    while let response = try await iterator.next() {
      if Int64(got.add(response)) == leavesAfter { return true }
    }
    return false
  }

  private var messages: [RawMessage] {
    (request["messages"]?.arrayValue ?? []).map {
      RawMessage(bytes: bytes(hex: $0.stringValue ?? ""))
    }
  }

  private var options: CallOptions {
    var options = CallOptions(
      timeout: request["timeout_ms"]?.integerValue.map { .milliseconds($0) },
      idempotencyKey: request["key"]?.stringValue, token: request["token"]?.stringValue,
      traceparent: request["traceparent"]?.stringValue)
    if case .object(let entries)? = request["metadata"] {
      for (key, value) in entries {
        let text = value.stringValue ?? ""
        if key.hasSuffix("-bin") {
          options.binaryMetadata.append((key, bytes(hex: text)))
        } else {
          options.metadata.append((key, text))
        }
      }
    }
    options.waitsForReady = request["wait_for_ready"]?.boolValue
    if let delay = request["hedge_after_ms"]?.integerValue {
      options.hedging = HedgingPolicy(
        delay: .milliseconds(delay), copyCountMax: Int(request["copies"]?.integerValue ?? 2))
    }
    return options
  }
}
