import EventLake
import Testing

@Suite("The manifest's state")
struct ManifestTests {
  private func file(_ first: Int64, _ last: Int64, day: Int64 = 20_000) -> LakeFile {
    LakeFile(
      kind: .goal, dayNumber: day, firstPosition: first, lastPosition: last,
      rowCount: last - first + 1, byteCount: 100, checksum: 1)
  }

  private func intent(
    _ first: Int64, _ last: Int64, _ files: [LakeFile], replaced: [LakeFile] = []
  ) -> ManifestRecord {
    .intent(
      PublishIntent(firstPosition: first, lastPosition: last, files: files, replaced: replaced))
  }

  @Test("publishes on commit, not on intent")
  func publishes() {
    var state = ManifestState()
    state.apply(intent(1, 5, [file(1, 5)]))
    #expect(state.publishedPosition == 0)
    #expect(state.files.isEmpty)
    state.apply(.commit(last: 5))
    #expect(state.publishedPosition == 5)
    #expect(state.files == [file(1, 5)])
    #expect(state.pending == nil)
  }

  @Test("forgets an intent on abort")
  func aborts() {
    var state = ManifestState()
    let before = state
    state.apply(intent(1, 5, [file(1, 5)]))
    state.apply(.abort)
    #expect(state == before)
  }

  @Test("replaces files in one step and leaves the cursor where it is")
  func replaces() {
    var state = ManifestState()
    for (first, last) in [(1, 5), (6, 9)] as [(Int64, Int64)] {
      state.apply(intent(first, last, [file(first, last)]))
      state.apply(.commit(last: last))
    }
    state.apply(intent(9, 9, [file(1, 9)], replaced: [file(1, 5), file(6, 9)]))
    state.apply(.commit(last: 9))
    #expect(state.files == [file(1, 9)])
    #expect(state.publishedPosition == 9)
  }

  @Test("says what cannot follow, and does not change")
  func refuses() {
    var state = ManifestState()
    #expect(state.problem(with: .commit(last: 1)) != nil)
    #expect(state.problem(with: .abort) != nil)
    let damaged = DamagedFile(file: file(1, 5), reason: .missing, quarantinePath: nil)
    #expect(state.problem(with: .quarantine(damaged)) != nil)
    state.apply(intent(1, 5, [file(1, 5)]))
    #expect(state.problem(with: intent(1, 5, [])) != nil)
    #expect(state.problem(with: .commit(last: 4)) != nil)
    let before = state
    state.apply(.commit(last: 4))
    #expect(state == before)
    state.apply(.commit(last: 5))
    #expect(state.problem(with: intent(1, 4, [])) != nil)
  }

  @Test("keeps a quarantined file apart until a file of its name is published again")
  func quarantines() {
    var state = ManifestState()
    state.apply(intent(1, 5, [file(1, 5)]))
    state.apply(.commit(last: 5))
    let damaged = DamagedFile(file: file(1, 5), reason: .wrongSize, quarantinePath: "q")
    state.apply(.quarantine(damaged))
    #expect(state.files.isEmpty)
    #expect(state.damaged == [damaged])
    #expect(state.damaged(fromDay: 20_000, throughDay: 20_000) == [damaged])
    #expect(state.damaged(fromDay: 20_001, throughDay: 30_000).isEmpty)
    var again = file(1, 5)
    again.checksum = 2
    state.apply(intent(5, 5, [again]))
    state.apply(.commit(last: 5))
    #expect(state.damaged.isEmpty)
    #expect(state.files == [again])
  }

  @Test("finds files by day")
  func days() {
    var state = ManifestState()
    let files = [file(1, 1, day: 10), file(2, 2, day: 11), file(3, 3, day: 13)]
    state.apply(intent(1, 3, files))
    state.apply(.commit(last: 3))
    #expect(state.files(fromDay: 11, throughDay: 12) == [files[1]])
    #expect(state.files(fromDay: .min, throughDay: .max) == files)
    #expect(state.dayNumbers == [10, 11, 13])
  }

  @Test("knows its own names and no others")
  func names() {
    #expect(file(1, 9).name == "goal_events-000000000001-000000000009.parquet")
    #expect(file(1, 9).folder == "year=2024/month=10/day=04")
    #expect(LakeLayout.isPublished(name: file(1, 9_999_999_999_999).name))
    let others = [
      "goal_events.parquet", "goal_events-1-2.parquet",
      "x_events-000000000001-000000000009.parquet",
      "goal_events-000000000001-00000000000x.parquet", ".goal_events-1-2.parquet.tmp",
      "goal_events-000000000001-000000000009.parquet.bak", "",
    ]
    for name in others { #expect(!LakeLayout.isPublished(name: name), "\(name)") }
  }
}
