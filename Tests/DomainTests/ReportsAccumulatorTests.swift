import Domain
import Testing

@Suite("The productivity report")
struct ReportsAccumulatorTests {
  /// 2026-11-02, a Monday.
  private let monday: Int64 = 1_793_577_600_000_000

  private func time(day: Int64, offset: Int64 = 0) -> Timestamp {
    Timestamp(microsecondsSinceEpoch: monday + day * 86_400_000_000 + offset)
  }

  @Test("of nothing is zeros without mean or weekday")
  func nothing() {
    let report = ProductivityAccumulator().report
    #expect(report.totalEvents == 0)
    #expect(report.averageValidationScore == nil)
    #expect(report.mostActiveDay == nil)
    #expect(report.eventsByType.isEmpty)
  }

  @Test("counts by type, whatever the type")
  func counts() {
    var accumulator = ProductivityAccumulator()
    for type in [
      "goal.created", "goal.created", "goal.completed", "task.completed", "code.validated", "x",
    ] {
      accumulator.add(type: type, createdAt: time(day: 0), validationScore: nil)
    }
    let report = accumulator.report
    #expect(report.totalEvents == 6)
    #expect(report.goalsCreated == 2)
    #expect(report.goalsCompleted == 1)
    #expect(report.tasksCompleted == 1)
    #expect(report.codeValidated == 1)
    #expect(report.eventsByType["x"] == 1)
    #expect(report.eventsByType.values.reduce(0, +) == 6)
  }

  @Test("takes the mean over validated code that has a score, without NaN")
  func mean() {
    var accumulator = ProductivityAccumulator()
    for score in [0.5, nil, .nan, 1.0] as [Double?] {
      accumulator.add(type: "code.validated", createdAt: time(day: 0), validationScore: score)
    }
    accumulator.add(type: "code.submitted", createdAt: time(day: 0), validationScore: 0)
    #expect(accumulator.report.averageValidationScore == 0.75)
    #expect(accumulator.report.codeValidated == 4)
  }

  @Test("has a mean that does not depend on the order of the events")
  func exactMean() {
    let scores = (0..<1000).map { Double($0 % 10) / 10 } + [1e16, 1, -1e16]
    var forwards = ProductivityAccumulator()
    var backwards = ProductivityAccumulator()
    for score in scores {
      forwards.add(type: "code.validated", createdAt: time(day: 0), validationScore: score)
    }
    for score in scores.reversed() {
      backwards.add(type: "code.validated", createdAt: time(day: 0), validationScore: score)
    }
    let (left, right) = (
      forwards.report.averageValidationScore, backwards.report.averageValidationScore
    )
    #expect(left == right)
    // Plain addition would lose the small scores beside 1e16.
    #expect(abs((left ?? 0) - 451.0 / 1003) < 1e-12)
  }

  @Test("keeps an infinite mean infinite")
  func infiniteMean() {
    var accumulator = ProductivityAccumulator()
    for score in [1, .infinity, 2] as [Double] {
      accumulator.add(type: "code.validated", createdAt: time(day: 0), validationScore: score)
    }
    #expect(accumulator.report.averageValidationScore == .infinity)
  }

  @Test(
    "names the most active weekday of UTC, of equals the alphabetically first",
    arguments: [
      ([0, 1, 1], Weekday.tuesday), ([0, 1, 2, 3, 4, 5, 6], .friday), ([0, 1], .monday),
      ([1, 3], .thursday), ([2, 1], .tuesday), ([5, 6], .saturday), ([-1], .sunday),
      ([-7, 0, 7, 3, 3], .monday),
    ])
  func weekday(days: [Int64], wanted: Weekday) {
    var accumulator = ProductivityAccumulator()
    for day in days {
      accumulator.add(type: "x", createdAt: time(day: day, offset: 1), validationScore: nil)
    }
    #expect(accumulator.report.mostActiveDay == wanted)
  }

  @Test("changes the day at midnight UTC")
  func midnight() {
    var accumulator = ProductivityAccumulator()
    accumulator.add(type: "x", createdAt: time(day: 0, offset: -1), validationScore: nil)
    #expect(accumulator.report.mostActiveDay == .sunday)
  }

  @Test("periods contain their start and not their end")
  func periods() {
    let period = ReportPeriod(from: time(day: 0), to: time(day: 1))
    #expect(period.contains(time(day: 0)))
    #expect(!period.contains(time(day: 0, offset: -1)))
    #expect(period.contains(time(day: 1, offset: -1)))
    #expect(!period.contains(time(day: 1)))
    let open = ReportPeriod(lastDays: 30, before: time(day: 30))
    #expect(open.from == time(day: 0))
    #expect(open.contains(time(day: 9999)))
  }

  @Test("of a stored event takes the score from the payload")
  func storedEvent() {
    var accumulator = ProductivityAccumulator()
    let id = EntityID(high: 1, low: 1)
    accumulator.add(
      StoredEvent(
        id: id, seq: 1, position: 1, type: "code.validated", entityType: "code_snapshot",
        entityID: id, version: 1, userID: id, payload: #"{"a":[1],"validation_score":0.25}"#,
        metadata: "{}", createdAt: time(day: 0)))
    #expect(accumulator.report.averageValidationScore == 0.25)
  }
}
