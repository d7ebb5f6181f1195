import Console
import Contract
import DescriptorJSON
import JSON
import RPC
import Testing
import Wire

@Suite("Client settings")
struct ClientSettingsTests {
  private func settings(
    _ options: ClientSettings.Options = .init(), environment: [String: String] = [:],
    files: [String: String] = [:]
  ) throws -> ClientSettings {
    try ClientSettings(options, environment: environment, dataDirectory: "/data") { files[$0] }
  }

  @Test("without anything given are those of a server on this machine")
  func defaults() throws {
    let found = try settings()
    #expect(found.address == Setting(Address(host: "127.0.0.1", port: 7443), .builtIn))
    #expect(found.authorityFile.value == nil && found.token.value == nil)
  }

  @Test("come from the option, then the environment, then the server's files")
  func precedence() throws {
    let files = ["/data/tls/ca.pem": "x", "/data/admin.token": "hito_file\n", "/my.pem": "x"]
    var found = try settings(files: files)
    #expect(found.authorityFile == Setting("/data/tls/ca.pem", .file("/data/tls/ca.pem")))
    #expect(found.token == Setting("hito_file", .file("/data/admin.token")))
    let environment = [
      "HITO_TOKEN": "hito_env", "HITO_ADDRESS": "example.org:1", "HITO_CA": "system",
    ]
    found = try settings(environment: environment, files: files)
    #expect(found.token == Setting("hito_env", .environment("HITO_TOKEN")))
    #expect(found.authorityFile == Setting(nil, .environment("HITO_CA")))
    #expect(found.address.value == Address(host: "example.org", port: 1))
    let options = ClientSettings.Options(
      address: "[::1]:5", authorityFile: "/my.pem", token: "hito_option")
    found = try settings(options, environment: environment, files: files)
    #expect(found.token == Setting("hito_option", .option("--token")))
    #expect(found.authorityFile.value == "/my.pem")
    #expect(found.address.value == Address(host: "::1", port: 5))
  }

  @Test("that cannot be used are refused with where they come from, and without the secret")
  func refusals() {
    let bad: [(ClientSettings.Options, [String: String], String)] = [
      (.init(address: "host:99999"), [:], "--address"), (.init(), ["HITO_CA": "/no"], "HITO_CA"),
      (.init(), ["HITO_TOKEN": "hito_a hito_b"], "HITO_TOKEN"),
    ]
    for (options, environment, text) in bad {
      let error = #expect(throws: SettingsError.self) {
        try settings(options, environment: environment)
      }
      #expect(error?.description.contains(text) == true)
      #expect(error?.description.contains("hito_a") == false)
    }
  }
}

@Suite("Texts on the command line")
struct CommandLineTextTests {
  @Test(
    "that are addresses",
    arguments: [
      ("localhost", "localhost:7443"), ("a.b:1", "a.b:1"), ("[::1]", "[::1]:7443"),
      ("[::1]:80", "[::1]:80"), ("::1", "[::1]:7443"), ("10.0.0.1:65535", "10.0.0.1:65535"),
    ])
  func addresses(text: String, address: String) {
    #expect(Address(text)?.description == address)
  }

  @Test(
    "that are no addresses",
    arguments: ["", ":1", "a:0", "a:65536", "a:b", "[::1", "[::1]x", "a b", "a/b", "ñ", "a:+1"])
  func noAddresses(text: String) {
    #expect(Address(text) == nil)
  }

  @Test("that are durations")
  func durations() {
    #expect(DurationText.parse("90d") == .seconds(90 * 86_400))
    #expect(DurationText.parse("1h30m") == .seconds(5400))
    #expect(DurationText.parse("500ms") == .milliseconds(500))
    for text in ["", "0s", "5", "s", "-1s", "1x", "99999999999999s", "5000w5000w", "٣s", "1 s"] {
      #expect(DurationText.parse(text) == nil, "\(text)")
    }
    #expect(DurationText.text(.milliseconds(1500)) == "1.5 s")
    #expect(DurationText.text(.milliseconds(20)) == "20 ms")
  }

  @Test("that say where to start")
  func starts() {
    #expect(WatchStart.parse("now") == nil)
    #expect(WatchStart.parse("beginning") == .fromBeginning(true))
    #expect(WatchStart.parse("1970-01-01T00:00:01Z") == .fromTimeUs(1_000_000))
    #expect(WatchStart.parse("1970-01-02") == .fromTimeUs(86_400_000_000))
    #expect(WatchStart.parse("c1.42") == .afterCursor("c1.42"))
  }
}

@Suite("Watching")
struct WatchMachineTests {
  @Test("gives up at once where the first stream fails, and says why")
  func firstFailure() {
    var machine = WatchMachine(WatchRequest())
    #expect(machine.ended(RPCError(.unavailable, ""), jitter: 0) == .giveUp)
  }

  @Test("goes on behind the last cursor, more slowly after each failure")
  func resumes() {
    var machine = WatchMachine(WatchRequest(start: .fromBeginning(true)))
    machine.received(WatchResponse(cursor: "c1", step: .mark(.caughtUp)))
    #expect(machine.request.start == .afterCursor("c1"))
    var delays: [Duration] = []
    for _ in 0..<12 {
      guard case .reconnect(let delay) = machine.ended(RPCError(.unavailable, ""), jitter: 1) else {
        Issue.record("gave up")
        return
      }
      delays.append(delay)
    }
    #expect(delays.first == .milliseconds(100) && delays.last == .seconds(5))
    #expect(delays == delays.sorted())
    machine.received(WatchResponse(cursor: "c2", step: .event(Event())))
    #expect(machine.ended(nil, jitter: 0) == .reconnect(after: .milliseconds(50)))
    #expect(machine.request.start == .afterCursor("c2"))
  }

  @Test("goes on where a draining server says")
  func resumeCursor() {
    var machine = WatchMachine(WatchRequest(start: .afterCursor("c0")))
    #expect(machine.cursor == "c0")
    machine.received(WatchResponse(cursor: "c1", step: .mark(.caughtUp)))
    _ = machine.ended(RPCError(.unavailable, "", resumeCursor: "c5"), jitter: 0)
    #expect(machine.request.start == .afterCursor("c5"))
  }

  @Test(
    "gives up at what does not pass",
    arguments: [StatusCode.permissionDenied, .unauthenticated, .outOfRange, .invalidArgument])
  func permanentFailures(code: StatusCode) {
    var machine = WatchMachine(WatchRequest())
    machine.received(WatchResponse(cursor: "c1", step: .mark(.caughtUp)))
    #expect(machine.ended(RPCError(code, ""), jitter: 0) == .giveUp)
  }
}

@Suite("Errors for people")
struct ErrorTextTests {
  @Test("name the reason, the fields and what to do")
  func details() {
    let details = ErrorDetails(
      reason: .staleVersion,
      fieldViolations: [FieldViolation(field: "title", description: "is empty")],
      retryDelayUs: 1_500_000,
      resource: ResourceInfo(type: "goal", id: "x", currentVersion: 4))
    let error = RPCError(.aborted, "the goal has moved on", details: details.encodedBytes())
    let text = ErrorText.describe(error)
    #expect(
      text == """
        ABORTED (STALE_VERSION): the goal has moved on
          title: is empty
          goal x, now at version 4
          try again in 1.5 s
        hint: read it again and decide again: somebody else was first
        """)
    #expect(ExitStatus.of(error) == 1 && ExitStatus.of(RPCError(.unavailable, "")) == 69)
  }

  @Test("survive details that are garbage, and carry no control characters to the terminal")
  func hostile() {
    let error = RPCError(.notFound, "\u{1b}[2J\u{202e}no", details: [0xff, 0xff])
    #expect(ErrorText.describe(error) == "NOT_FOUND: \u{fffd}[2J\u{fffd}no")
  }
}

@Suite("Output for people")
struct OutputTests {
  @Test("shows an event on one line, whatever is in it")
  func event() {
    let event = Event(
      type: "goal.progressed", entityType: "goal", entityId: "g1",
      payloadJson: #"{"title": "Aprender\n\u001b[31mFastAPI", "progress_percentage": 33.333}"#,
      createdAt: Contract.Timestamp(seconds: 1_769_850_300))
    let start = "2026-01-31T09:05:00Z  goal.progressed     Aprender \u{fffd}[31mFastAPI"
    #expect(EventText.line(event) == "\(start)  33.3 %  (goal g1)")
    #expect(EventText.line(Event(payloadJson: "{")).hasSuffix("( )"))
  }

  @Test("lines tables up")
  func table() {
    var table = TextTable(["A", "B"], rightColumns: [1])
    table.add(["long", "1"])
    table.add(["x", "22"])
    #expect(table.text == "A      B\nlong   1\nx     22\n")
  }

  @Test("shows a report, also an empty one")
  func report() {
    let empty = ProductivityText.describe(GetProductivityResponse())
    #expect(empty.contains("Mean score       -"))
    let full = ProductivityText.describe(
      GetProductivityResponse(
        totalEvents: 3, avgValidationScore: 0.875, mostActiveDay: "Monday",
        eventsByType: [EventTypeCount(type: "goal.created", count: 3)]))
    #expect(full.contains("87.5 %") && full.contains("goal.created  3  ▇"))
  }

  @Test("sums up what the doctor found")
  func health() {
    var report = HealthReport()
    report.add(.ok("a", "fine"))
    #expect(!report.hasFailed && report.text.contains("Everything is well."))
    report.add(.fail("bb", "broken", "mend it"))
    #expect(report.hasFailed && report.text.contains("-> mend it"))
    #expect(report.json["ok"] == .bool(false))
  }
}

@Suite("The contract of this build")
struct OwnContractTests {
  @Test("is readable without generated code, message by message")
  func roundTrip() throws {
    let schema = try Schema(descriptorSet: ContractDescriptors.fileDescriptorSet)
    let type = try #require(schema.message(named: WatchResponse.fullName))
    let message = WatchResponse(
      cursor: "c1", step: .event(Event(type: "goal.created", version: 7)))
    let json = try schema.decode(message.encodedBytes(), as: type)
    #expect(json.text == #"{"cursor":"c1","event":{"type":"goal.created","version":"7"}}"#)
    #expect(try WatchResponse.decode(schema.encode(json, as: type)) == message)
    let method = try schema.method(named: "goals.GoalService/CreateGoal")
    #expect(method.path == "hito.v1.GoalService/CreateGoal" && !method.comment.isEmpty)
    for method in schema.methods {
      let template = try JSONValue(typed: schema.description(of: method))
      _ = try schema.encode(template, as: schema.messages[method.input])
    }
  }
}
