import Domain
import Replay
import Testing

@testable import hito

@Suite("The words of a replay")
struct ReplayTextTests {
  @Test("tell how far it is, how fast, and how long it still takes")
  func progress() {
    let progress = Replayer.Progress(done: 12_000, total: 40_000)
    #expect(
      ReplayProgressText.line(progress, after: .seconds(2))
        == "12000 of 40000 events, 6000 a second, 4 s left")
    #expect(
      ReplayProgressText.line(Replayer.Progress(done: 0, total: 5), after: .zero)
        == "0 of 5 events, 0 a second")
  }

  @Test("name each difference, and how many are not shown")
  func differences() {
    let comparison = Replayer.Comparison(
      tables: [
        TableComparison(table: "users", rowCount: 3, differenceCount: 0, differences: []),
        TableComparison(
          table: "goals", rowCount: 9, differenceCount: 5,
          differences: [
            .init(key: "a", kind: .differs, columns: ["title", "status"]),
            .init(key: "b", kind: .onlyLive), .init(key: "c", kind: .onlyRebuilt),
          ]),
      ], position: 7, laterCount: 0)
    #expect(!comparison.isClean)
    #expect(
      ReplayText.differences(comparison) == [
        "goals a differs in title, status", "goals b is in the table, and no event says so",
        "goals c is missing in the table", "goals: 2 more",
      ])
  }
}
