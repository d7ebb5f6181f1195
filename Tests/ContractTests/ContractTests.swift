import Contract
import RPC
import Testing

@Suite("The contract")
struct ContractTests {
  private let services: [[MethodDescriptor]] = [
    GoalServiceMethods.all, TaskServiceMethods.all, EventServiceMethods.all,
    CourseServiceMethods.all, UserServiceMethods.all,
  ]

  @Test("has one path for each method, below the package hito.v1")
  func paths() {
    let paths = services.joined().map(\.path)
    #expect(Set(paths).count == paths.count)
    #expect(paths.allSatisfy { $0.hasPrefix("hito.v1.") && $0.split(separator: "/").count == 2 })
  }

  @Test("marks what only reads, and nothing that writes")
  func reads() {
    for method in services.joined() where method.kind == .unary {
      let isRead = ["Get", "List", "Read"].contains { method.name.hasPrefix($0) }
      #expect(isRead == method.isReadOnly, "\(method.path)")
    }
  }

  @Test("carries a request as it was written")
  func request() throws {
    let request = CreateGoalRequest(
      title: "Aprender FastAPI", description: "Una API completa",
      tasks: [NewTask(title: "Leer"), NewTask(title: "Probar", validationCriteria: ["corre"])],
      targetDate: Timestamp(seconds: 1_800_000_000, nanos: 1000))
    #expect(try CreateGoalRequest.decode(request.encodedBytes()) == request)
    #expect(CreateGoalRequest.fullName == "hito.v1.CreateGoalRequest")
  }

  @Test("refuses a request with the name of the field that is wrong")
  func refusal() {
    // tasks[0].title = one byte that is not UTF-8.
    let bytes: [UInt8] = [0x22, 0x03, 0x0A, 0x01, 0xFF]
    let error = #expect(throws: DecodeError.self) { try CreateGoalRequest.decode(bytes) }
    #expect(error == DecodeError(.invalidUTF8, field: "tasks.title"))
  }

  @Test("gives a request that does not decode its reason")
  func malformed() throws {
    let error = RPCError(fromHandler: DecodeError(.malformed))
    #expect(error.code == .invalidArgument)
    #expect(try ErrorDetails.decode(error.details) == ErrorDetails(reason: .malformedMessage))
    #expect(
      try ErrorDetails.decode(RPCError.busy)
        == ErrorDetails(reason: .limitReached, retryDelayUs: 1_000_000))
    #expect(
      ErrorDetails(reason: .quota, retryDelayUs: 9).encodedBytes()
        .starts(with: RefusalReason.quotaDetails))
  }

  @Test("has the reasons of the streams that the transport ends")
  func endedStreams() throws {
    let draining = RPCError.draining(resumeCursor: "c")
    #expect(try ErrorDetails.decode(draining.details) == ErrorDetails(reason: .draining))
    let stalled = RPCError.stalled(for: .seconds(60))
    #expect(try ErrorDetails.decode(stalled.details) == ErrorDetails(reason: .streamStalled))
    for error in [draining, stalled] { #expect(error.code == .unavailable) }
  }

  @Test("is embedded with its comments, for reflection")
  func descriptors() {
    let set = String(decoding: ContractDescriptors.fileDescriptorSet, as: UTF8.self)
    #expect(set.contains("hito/v1/goals.proto"))
    #expect(set.contains("google/protobuf/timestamp.proto"))
    #expect(set.contains("What a learner wants to achieve."))
  }
}
