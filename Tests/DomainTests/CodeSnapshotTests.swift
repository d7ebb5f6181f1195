import Domain
import Testing

@Suite struct `A code snapshot` {
  private let fixture = GoalFixture()

  private func snapshot(
    path: String = "app/main.py", language: String = "", content: String = "print()\n"
  ) -> CodeSnapshot {
    let now = fixture.time.now()
    return CodeSnapshot(
      id: fixture.ids.next(at: now), userID: fixture.userID, filePath: path, language: language,
      content: content, contentHash: [UInt8](repeating: 0xa1, count: 32), createdAt: now,
      updatedAt: now)
  }

  private func judgement(
    _ verdict: Verdict, score: Double? = 0.9, feedback: String = "bien", source: String = "grader",
    tools: [String: String] = ["ruff": "0.6"]
  ) -> Judgement {
    Judgement(
      verdict: verdict, score: score, feedback: feedback,
      provenance: Provenance(
        source: source, actorID: EntityID(high: 2, low: 2), toolVersions: tools,
        limits: ["cpu": "2 s"], policy: "default@1"))
  }

  private func violations(_ body: () throws -> Void) -> [String] {
    do {
      try body()
      return []
    } catch DomainError.invalid(let violations) {
      return violations.map(\.field)
    } catch {
      return ["\(error)"]
    }
  }

  @Test(arguments: [
    ("main.py", "python"), ("a/b/Main.SWIFT", "swift"), ("x.test.ts", "typescript"),
    ("Makefile", "text"), (".py", "text"), ("dir.py/readme", "text"), ("a.", "text"),
    ("a.unheardof", "text"), ("", "text"), ("/", "text"), ("código/índice.MJS", "javascript"),
    ("a." + String(repeating: "p", count: 400), "text"), ("a/.hidden.rs", "rust"),
  ]) func `takes its language from its path's ending`(path: String, language: String) {
    #expect(snapshot(path: path).language == language)
  }

  @Test func `keeps the language that it is given, in lower case`() throws {
    #expect(snapshot(path: "x.py", language: "C++").language == "c++")
    for bad in ["py thon", "ñ", String(repeating: "a", count: 33), "a\u{0}"] {
      #expect(violations { try snapshot(language: bad).validate() } == ["language"], "\(bad)")
    }
  }

  @Test func `holds its limits, to the last byte`() {
    let longest = String(repeating: "é", count: CodeLimits.contentByteCount / 2)
    #expect(violations { try snapshot(content: longest).validate() } == [])
    #expect(violations { try snapshot(content: longest + "x").validate() } == ["code_content"])
    #expect(violations { try snapshot(content: "a\u{0}b").validate() } == ["code_content"])
    #expect(violations { try snapshot(content: "\u{c}\u{1b}[0m").validate() } == [])
    #expect(violations { try snapshot(content: "").validate() } == [])
    let path = String(repeating: "ñ", count: 497) + ".py"
    #expect(violations { try snapshot(path: path).validate() } == [])
    for bad in ["", "  ", "x" + path, "a\nb.py"] {
      #expect(violations { try snapshot(path: bad).validate() } == ["file_path"])
    }
  }

  @Test func `takes a verdict, and a later one in its place`() throws {
    var code = snapshot()
    #expect(try code.judge(judgement(.inconclusive, score: 0), at: fixture.context.now))
    #expect(code.judgement?.score == nil)
    #expect(code.version == 2)
    #expect(try code.judge(judgement(.failed, score: 0.25), at: fixture.context.now))
    #expect(try code.judge(judgement(.passed), at: fixture.context.now))
    #expect(try !code.judge(judgement(.passed), at: fixture.context.now))
    #expect(code.version == 4)
    let before = code
    #expect(throws: DomainError.self) {
      try code.judge(judgement(.inconclusive, score: 0), at: fixture.context.now)
    }
    #expect(code == before)
  }

  @Test(arguments: [-0.001, 1.001, .nan, .infinity, -.infinity])
  func `refuses a score that is none`(score: Double) {
    var code = snapshot()
    #expect(
      violations { _ = try code.judge(judgement(.passed, score: score), at: fixture.time.now()) }
        == ["score"])
    #expect(code.judgement == nil && code.version == 1)
  }

  @Test func `refuses what a verdict must not say`() {
    var code = snapshot()
    let many = Dictionary(uniqueKeysWithValues: (0..<51).map { ("t\($0)", "1") })
    let long = String(repeating: "x", count: 10_001)
    for (bad, field) in [
      (judgement(.inconclusive, score: 0.5), "score"), (judgement(.passed, score: nil), "score"),
      (judgement(.passed, feedback: long), "feedback"),
      (judgement(.passed, source: ""), "provenance.source"),
      (judgement(.passed, source: "a\nb"), "provenance.source"),
      (judgement(.passed, tools: many), "provenance.tool_versions"),
      (judgement(.passed, tools: ["": "1"]), "provenance.tool_versions"),
      (judgement(.passed, tools: ["r": long]), "provenance.tool_versions[r]"),
    ] {
      #expect(violations { _ = try code.judge(bad, at: fixture.time.now()) } == [field])
    }
  }

  @Test func `is an example for others only when shared and passed`() throws {
    var code = snapshot()
    #expect(code.share(true, at: fixture.context.now) == .codeShared)
    #expect(code.share(true, at: fixture.context.now) == nil)
    #expect(!code.isSharedExample(trusting: []))
    _ = try code.judge(judgement(.passed), at: fixture.context.now)
    #expect(code.isSharedExample(trusting: []))
    _ = try code.judge(judgement(.failed), at: fixture.context.now)
    #expect(!code.isSharedExample(trusting: []))
    _ = try code.judge(judgement(.passed), at: fixture.context.now)
    #expect(code.share(false, at: fixture.context.now) == .codeUnshared)
    #expect(!code.isSharedExample(trusting: []))
    #expect(code.version == 6)
  }

  @Test func `is an example by the word of an instructor for those who take it`() throws {
    var code = snapshot()
    _ = code.share(true, at: fixture.context.now)
    let verdict = judgement(.passed, source: Provenance.instructorSource)
    _ = try code.judge(verdict, at: fixture.context.now)
    #expect(!code.isSharedExample(trusting: [EntityID(high: 3, low: 3)]))
    #expect(code.isSharedExample(trusting: [verdict.provenance.actorID]))
  }

  @Test func `has events under the column names, without the code itself`() throws {
    var code = snapshot(content: "secreto = 1\n")
    let course = EntityID(high: 3, low: 3)
    let submitted = code.event(.codeSubmitted, goalCourseID: course, context: fixture.context)
    #expect(submitted.payload["verdict"] == .null)
    #expect(submitted.payload["validation_score"] == .null)
    #expect(submitted.payload["course_id"] == .string(course.description))
    #expect(submitted.payload["code_hash"] == .string(String(repeating: "a1", count: 32)))
    #expect(submitted.payload["code_byte_count"] == .integer(12))
    #expect(!submitted.payload.text.contains("secreto"))
    _ = try code.judge(judgement(.passed, score: 0.75), at: fixture.context.now)
    let validated = code.event(.codeValidated, goalCourseID: nil, context: fixture.context)
    #expect(validated.version == 2)
    #expect(validated.userID == fixture.userID)
    #expect(validated.entityType == .codeSnapshot)
    #expect(validated.payload["validation_passed"] == .bool(true))
    #expect(validated.payload["validation_score"] == .number(0.75))
    #expect(validated.payload["language"] == .string("python"))
    #expect(validated.payload["file_path"] == .string("app/main.py"))
    #expect(ValidationScore.of(payload: SealedJSON(sealedText: validated.payload.text)) == 0.75)
  }
}
