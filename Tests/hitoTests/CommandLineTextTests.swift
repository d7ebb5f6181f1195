import Contract
import DescriptorJSON
import Foundation
import JSON
import RPC
import Testing
import Wire

@testable import hito

@Suite("Texts on the command line")
struct CommandLineTextTests {
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

@Suite("Errors for people")
struct ErrorTextTests {
  @Test("name the reason, the fields and what to do")
  func details() {
    let details = ErrorDetails(
      reason: .staleVersion,
      fieldViolations: [FieldViolation(field: "title", description: "is empty")],
      retryDelayUs: 1_500_000,
      resource: ResourceInfo(type: "goal", id: "x", currentVersion: 4))
    let error = RPCError(.aborted, "the goal has changed", details: details.encodedBytes())
    let text = ErrorText.describe(error)
    #expect(
      text == """
        ABORTED (STALE_VERSION): the goal has changed
          title: is empty
          goal x, now at version 4
          try again in 1.5 s
        hint: read it again and decide again: another change came first
        """)
    #expect(ErrorText.exitStatus(of: error) == 1)
    #expect(ErrorText.exitStatus(of: RPCError(.unavailable, "")) == 69)
  }

  @Test("are unavailable only where waiting can help")
  func statuses() {
    let draining = ErrorDetails(reason: .draining).encodedBytes()
    let noModel = ErrorDetails(reason: .noModel).encodedBytes()
    #expect(ErrorText.exitStatus(of: RPCError(.unavailable, "", details: draining)) == 69)
    #expect(ErrorText.exitStatus(of: RPCError(.unavailable, "", details: noModel)) == 1)
    for code in [StatusCode.invalidArgument, .notFound, .permissionDenied, .resourceExhausted] {
      #expect(ErrorText.exitStatus(of: RPCError(code, "")) == 1)
    }
  }

  @Test("about scopes ask for no other role")
  func scopes() {
    let text = ErrorText.describe(RPCError(.permissionDenied, RPCError.outsideScopes))
    #expect(text.contains("--scope") && !text.contains("token of a role"))
  }

  @Test("of Foundation say what the system says, and no domains")
  func foundation() {
    let under = NSError(domain: NSPOSIXErrorDomain, code: 28)
    let error = NSError(
      domain: NSCocoaErrorDomain, code: 640,
      userInfo: [NSFilePathErrorKey: "/x", NSUnderlyingErrorKey: under])
    #expect(SystemText.of(error) == "/x: No space left on device")
    #expect(SystemText.of(CommandFailure("plain")) == "plain")
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
    #expect(!report.hasFailed && report.text(.none, columns: nil).contains("Everything is well."))
    report.add(.fail("bb", "broken", "mend it"))
    #expect(report.hasFailed && report.text(.none, columns: nil).contains("-> mend it"))
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
      #expect(
        !template.text.contains("00:00Z") && !template.text.contains("1970"), "\(method.path)")
    }
  }

  @Test("is described with each alternative of a oneof, as it would be written")
  func alternatives() throws {
    let schema = try Schema.own()
    let text = schema.description(of: try schema.method(named: "IngestDocuments"))
    #expect(
      text.contains(
        "  // Instead of \"start\":\n  // // Then: the documents.\n  // \"document\": {\n"))
    #expect(text.contains("  //   \"content\": "))
    let goal = schema.description(of: try schema.method(named: "CreateGoal"))
    #expect(goal.contains("\n  // \"targetDate\": \"2026-01-31T09:05:00Z\"\n"))
  }

  @Test("completes methods, requests and fields of answers")
  func completion() {
    #expect(CallCompletion.methods("CreateG") == ["CreateGoal"])
    #expect(CallCompletion.methods("ProgressService/") == ["ProgressService/Watch"])
    #expect(CallCompletion.methods("Watch") == ["WatchRun", "WatchValidation"])
    let words = ["hito", "call", "CreateGoal", ""]
    #expect(
      CallCompletion.requests(words, "").first?.hasPrefix(#"{"title":"","description":"""#) == true)
    #expect(CallCompletion.fields(words, "goal.ti") == ["goal.title"])
    #expect(CallCompletion.fields(words, "t") == ["tasks.0"])
    #expect(CallCompletion.fields(words, "tasks.0.goalI") == ["tasks.0.goalId"])
    #expect(CallCompletion.fields(["hito", "call"], "").isEmpty)
  }

  @Test("has fields that can be picked out of an answer")
  func picked() throws {
    let schema = try Schema.own()
    let type = try #require(schema.message(named: "hito.v1.CreateGoalResponse"))
    let answer = try JSONValue(
      typed: #"{"goal": {"id": "g", "title": "a\nb"}, "tasks": [{"id": "t"}, {"ordinal": 1}]}"#)
    func pick(_ path: String) throws -> String {
      try PickedField(path, in: type, schema).text(of: answer, .compact)
    }
    #expect(try pick("goal.id") == "g")
    #expect(try pick("tasks.1.ordinal") == "1")
    #expect(try pick("tasks.0.ordinal") == "0")
    #expect(try pick("goal.description").isEmpty)
    #expect(try pick("tasks.0") == #"{"id":"t"}"#)
    for path in ["", "goal.", "gaol.id", "tasks.x", "tasks.-1.id", "goal.id.x"] {
      #expect(throws: CommandFailure.self, "\(path)") { try PickedField(path, in: type, schema) }
    }
    for path in ["tasks.2.id", "receipt.cursor", "goal.targetDate"] {
      #expect(throws: CommandFailure.self, "\(path)") { try pick(path) }
    }
  }
}
