import Contract
import RPC
import Testing

@Suite("Generated stubs")
struct StubTests {
  /// Knows trees by their leaves; does nothing else.
  private struct Gardener: EverythingServiceHandler {
    func getTree(_ request: Leaf, _ context: CallContext) async throws -> Tree {
      Tree(last: request.name)
    }
    func watch(
      _ request: Leaf, _ context: CallContext, _ responses: ResponseWriter<Leaf>
    ) async throws {}
    func collect(
      _ requests: RequestStream<Leaf>, _ context: CallContext
    ) async throws -> Tree { Tree() }
    func chat(
      _ requests: RequestStream<Leaf>, _ context: CallContext, _ responses: ResponseWriter<Tree>
    ) async throws {}
    func `import`(_ request: Nothing, _ context: CallContext) async throws -> Nothing {
      Nothing()
    }
  }

  @Test("Every method is registered under its path, with its kind and whether it only reads")
  func registration() throws {
    var router = Router()
    try Gardener().register(in: &router)
    #expect(
      Set(router.methods) == Set(EverythingServiceMethods.all)
        && router.methods.count == EverythingServiceMethods.all.count)
    #expect(EverythingServiceMethods.getTree.path == "fixture.v1.EverythingService/GetTree")
    #expect(EverythingServiceMethods.getTree.isReadOnly)
    #expect(!EverythingServiceMethods.plantTree.isReadOnly)
    #expect(
      EverythingServiceMethods.all.map(\.kind) == [
        .unary, .unary, .serverStreaming, .clientStreaming, .bidirectional, .unary,
      ])
  }

  @Test("A method has the rule that the contract declares, and the defaults of what it leaves out")
  func rules() {
    #expect(
      EverythingServiceMethods.all.map(\.rule) == [
        MethodRule(callers: .anybody, cost: .memory, timeout: .seconds(30)),
        MethodRule(callers: .admins, cost: .model, timeout: .seconds(90), isImplemented: false),
        MethodRule(callers: .users, cost: .subscription, timeout: nil),
        MethodRule(callers: .instructors, cost: .bulk, timeout: .seconds(600)),
        MethodRule(callers: .services, cost: .search, timeout: nil),
        MethodRule(callers: .users, cost: .rows, timeout: .seconds(30)),
      ])
  }

  @Test("A service that no server has is registered without a handler")
  func promisedService() throws {
    var router = Router()
    try PromisedServiceMethods.register(in: &router)
    #expect(router.methods == PromisedServiceMethods.all)
  }

  @Test("A message with a field that many share can be used as one of them")
  func sharedFields() {
    func receipt(of response: some WriteResponse) -> WriteReceipt? { response.receipt }
    func page(of request: some PagedRequest) -> Contract.PageRequest? { request.page }
    let shared = Shared(
      receipt: WriteReceipt(cursor: "c"), page: Contract.PageRequest(pageSize: 3))
    #expect(receipt(of: shared)?.cursor == "c")
    #expect(page(of: shared)?.pageSize == 3)
  }

  @Test("A client's call reaches the handler and comes back")
  func call() async throws {
    let client = EverythingServiceClient(try LocalTransport(Gardener()))
    #expect(try await client.getTree(Leaf(name: "oak")).last == "oak")
  }

  @Test("A method that no server has answers UNIMPLEMENTED")
  func unimplemented() async throws {
    let client = EverythingServiceClient(try LocalTransport(Gardener()))
    let error = await #expect(throws: RPCError.self) { try await client.plantTree(Tree()) }
    #expect(error?.code == .unimplemented)
    #expect(error?.message == "fixture.v1.EverythingService/PlantTree is not implemented")
  }

  @Test("Enums know the names of the contract, and keep numbers without a name")
  func enums() {
    #expect(Mood.allCases == [.unspecified, .happy, .in, .sad])
    #expect(Mood.in.protoName == "MOOD_IN")
    #expect(Mood(rawValue: 9).protoName == nil)
    #expect(Mood(rawValue: -1) == .sad)
  }

  @Test("The embedded descriptor set names every service of the contract")
  func descriptors() {
    let text = String(decoding: ContractDescriptors.fileDescriptorSet, as: UTF8.self)
    for service in ["GoalService", "TaskService", "EventService"] {
      #expect(text.contains(service))
    }
  }
}

/// Calls the routes of a handler with the encoded request, as a connection would.
private struct LocalTransport: ClientTransport {
  private let router: Router

  init(_ handler: some EverythingServiceHandler) throws(RegistrationError) {
    var router = Router()
    try handler.register(in: &router)
    self.router = router
  }

  func unary<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type, options: CallOptions
  ) async throws(RPCError) -> Response {
    guard case .unary(let prepare)? = router[method.path]?.body else {
      throw RPCError(.unimplemented, "no such method")
    }
    do {
      let invocation = try request.encodedBytes().withUnsafeBytes {
        try prepare($0, DecodeLimits())
      }
      let response = try await invocation(
        CallContext(method: method, principal: Principal(userID: "", role: .admin, tokenID: "")))
      return try Response.decode(response.encodedBytes())
    } catch {
      throw RPCError(fromHandler: error)
    }
  }

  func serverStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, _ request: Request, returning: Response.Type, options: CallOptions
  ) async throws(RPCError) -> ResponseStream<Response> {
    throw RPCError(.unimplemented, "only unary calls")
  }

  func clientStreaming<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> ClientStreamingCall<Request, Response> {
    throw RPCError(.unimplemented, "only unary calls")
  }

  func bidirectional<Request: WireMessage, Response: WireMessage>(
    _ method: MethodDescriptor, sending: Request.Type, returning: Response.Type,
    options: CallOptions
  ) async throws(RPCError) -> BidirectionalCall<Request, Response> {
    throw RPCError(.unimplemented, "only unary calls")
  }
}
