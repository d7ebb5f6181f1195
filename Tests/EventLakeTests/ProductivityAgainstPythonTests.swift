import Domain
import EventLake
import Foundation
import Testing

/// The function of docs/design-notes.md is taken out of the document and run as it stands, over a
/// lake in the folder that it names.
@Suite("The report and the Python function of design-notes.md")
struct ProductivityAgainstPythonTests {
  /// Takes the block with the function, keeps its imports and definitions (the rest is a usage
  /// example that prints), and runs it for each user given.
  private static let script = """
    import ast, json, math, re, sys
    text = open(sys.argv[1], encoding="utf-8").read()
    blocks = re.findall(r"```python\\n(.*?)```", text, re.S)
    source = next(b for b in blocks if "def analyze_user_productivity" in b)
    tree = ast.parse(source)
    kept = [n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom, ast.FunctionDef))]
    scope = {}
    for node in kept:
      exec(compile(ast.get_source_segment(source, node), "design-notes.md", "exec"), scope)
    results = {}
    for user in sys.argv[3:]:
      try:
        metrics = scope["analyze_user_productivity"](user, days=int(sys.argv[2]))
      except ValueError as error:
        results[user] = {"error": str(error)}
        continue
      mean = metrics["avg_validation_score"]
      metrics["avg_validation_score"] = None if math.isnan(mean) else mean
      results[user] = metrics
    print(json.dumps(results, default=int))
    """

  private static let lakePath = "backend/data/storage"

  private func python(
    _ folder: TemporaryFolder, days: Int32, users: [EntityID]
  ) throws -> [String: [String: Any]] {
    let notes = "\(Python.workTree)/docs/design-notes.md"
    let arguments = [notes, String(days)] + users.map(\.description)
    return try #require(
      Python.run(Self.script, in: folder.path, arguments: arguments) as? [String: [String: Any]])
  }

  private func report(
    _ lake: ParquetEventLake, user: EntityID, from: Timestamp
  ) async throws -> ProductivityReport {
    let scan = try await lake.scan(LakeQuery(userID: user, period: ReportPeriod(from: from)))
    var accumulator = ProductivityAccumulator()
    for row in scan.rows {
      accumulator.add(
        type: row.type, createdAt: row.createdAt, validationScore: row.validationScore)
    }
    return accumulator.report
  }

  private func compare(_ ours: ProductivityReport, _ theirs: [String: Any]) throws {
    #expect(theirs["total_events"] as? Int64 == ours.totalEvents)
    #expect(theirs["goals_created"] as? Int64 == ours.goalsCreated)
    #expect(theirs["goals_completed"] as? Int64 == ours.goalsCompleted)
    #expect(theirs["tasks_completed"] as? Int64 == ours.tasksCompleted)
    #expect(theirs["code_validated"] as? Int64 == ours.codeValidated)
    #expect(theirs["most_active_day"] as? String == ours.mostActiveDay?.name)
    #expect(theirs["events_by_type"] as? [String: Int64] == ours.eventsByType)
    let mean = theirs["avg_validation_score"] as? Double
    #expect((mean == nil) == (ours.averageValidationScore == nil))
    if let mean, let own = ours.averageValidationScore {
      // pandas adds pairwise, we with compensation: the last bits may differ.
      #expect(abs(mean - own) <= 1e-12 * max(1, abs(mean)))
    }
  }

  private func now() -> Timestamp {
    Timestamp(microsecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
  }

  @Test("give the same numbers for every user", arguments: [1, 2, 3] as [UInt64])
  func sameNumbers(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    var random = SeededGenerator(state: seed)
    let now = now()
    // Ten days are asked for and twelve are there; nothing lies within an hour of the edge, since
    // Python asks for its own `now` a little later than we do.
    let edge = now.advanced(by: .seconds(-10 * 86_400))
    let events = Fixtures.random(3000, before: now, using: &random).filter {
      abs($0.createdAt.microsecondsSinceEpoch - edge.microsecondsSinceEpoch) > 3_600_000_000
    }.enumerated().map { index, event in
      var event = event
      event.position = Int64(index + 1)
      return event
    }
    let lake = ParquetEventLake(directory: "\(folder.path)/\(Self.lakePath)")
    try await lake.recover()
    for start in stride(from: 0, to: events.count, by: 711) {
      try await lake.append(Array(events[start..<min(start + 711, events.count)]))
    }
    let users = (1...5).map { Fixtures.user($0) }
    let theirs = try python(folder, days: 10, users: users)
    for user in users {
      let ours = try await report(lake, user: user, from: edge)
      #expect(ours.totalEvents > 100)
      try compare(ours, #require(theirs[user.description]))
    }
  }

  @Test("agree on ties of the weekday, on a mean of nothing, and document where Python fails")
  func edges() async throws {
    let folder = try TemporaryFolder()
    let lake = ParquetEventLake(directory: "\(folder.path)/\(Self.lakePath)")
    try await lake.recover()
    // One event on each of seven days in a row: all weekdays are equal.
    let end = now()
    var events = (0..<7).map { index in
      Fixtures.event(
        index + 1, "task.completed",
        at: Timestamp(microsecondsSinceEpoch: end.microsecondsSinceEpoch - index * Fixtures.day))
    }
    // Validated code without a score, for a user of its own.
    events.append(
      Fixtures.event(8, "code.validated", user: 2, at: end, payload: #"{"language":"go"}"#))
    try await lake.append(events)

    let users = (1...3).map { Fixtures.user($0) }
    let theirs = try python(folder, days: 30, users: users)
    let from = end.advanced(by: .seconds(-30 * 86_400))
    let tied = try await report(lake, user: users[0], from: from)
    #expect(tied.mostActiveDay == .friday)
    try compare(tied, #require(theirs[users[0].description]))
    let unscored = try await report(lake, user: users[1], from: from)
    #expect(unscored.averageValidationScore == nil)
    try compare(unscored, #require(theirs[users[1].description]))
    // pandas' idxmax of nothing raises; ours is a report of zeros without a weekday.
    #expect(theirs[users[2].description]?["error"] != nil)
    let nothing = try await report(lake, user: users[2], from: from)
    #expect(nothing == ProductivityAccumulator().report)
    #expect(nothing.mostActiveDay == nil)
  }
}
