internal import Contract
internal import Domain
internal import RPC
internal import Synchronization

/// What a revalidation is to do, as its first call found it.
struct RevalidationPlan: Sendable, Hashable {
  var groupID: EntityID
  /// Whether the items are the validations of a preview, to be written; otherwise they are snapshots.
  var isOfPreview = false
  var items: [EntityID] = []

  init(groupID: EntityID) { self.groupID = groupID }

  init(_ bytes: [UInt8]) throws(StoreError) {
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    let ids = words.dropFirst().compactMap { EntityID(String($0)) }
    guard let kind = words.first, let group = ids.first, ids.count == words.count - 1 else {
      throw .corrupt("the stored plan of a revalidation cannot be read")
    }
    groupID = group
    isOfPreview = kind == "preview"
    items = Array(ids.dropFirst())
  }

  var bytes: [UInt8] {
    let words = [isOfPreview ? "preview" : "snapshots", groupID.description]
    return Array((words + items.map(\.description)).joined(separator: " ").utf8)
  }
}

/// What was decided of a snapshot before it was validated again.
struct StateBefore: Sendable, Hashable {
  var verdict: Domain.Verdict?
  var score: Double?

  init(_ snapshot: Domain.CodeSnapshot) {
    verdict = snapshot.judgement?.verdict
    score = snapshot.judgement?.score
  }

  init(_ text: String) {
    let words = text.split(separator: " ")
    verdict = words.first.flatMap { Domain.Verdict(rawValue: String($0)) }
    score = words.count > 1 ? Double(String(words[1])) : nil
  }

  /// Words, of which one stands for what there is none of.
  var text: String { "\(verdict?.rawValue ?? "none") \(score.map { "\($0)" } ?? "none")" }
}

/// Shows what becomes of a revalidation, and sums it up; for one task at a time. What an earlier call told is
/// not told again, and counts in the sum all the same.
final class RevalidationStream: Sendable {
  /// How many validations of one revalidation wait at a time: others take turns with them.
  static let aheadMax = 16

  private struct State {
    var summary = RevalidationSummary()
    /// Its mask begins at its count, which is a multiple of `aheadMax`, or where all is told in turn.
    var place: GroupPlace
  }

  private let group: EntityID
  /// Nil where nobody can come back.
  private let cursors: CursorCodec?
  private let responses: ResponseWriter<RevalidateResponse>
  private let start: GroupPlace?
  private let state: Mutex<State>

  init(
    group: EntityID, cursors: CursorCodec?, responses: ResponseWriter<RevalidateResponse>,
    start: GroupPlace?
  ) {
    self.group = group
    self.cursors = cursors
    self.responses = responses
    self.start = start
    state = Mutex(State(place: start ?? GroupPlace(groupID: group, count: 0)))
  }

  /// After the last message.
  var cursor: String? {
    let place = state.withLock { $0.place }
    return cursors?.cursor(place)
  }

  /// Whether an earlier call told of this item.
  func knows(_ index: Int) -> Bool { start?.holds(index) ?? false }

  func tell(_ index: Int, _ snapshot: RevalidatedSnapshot) async throws {
    state.withLock { $0.summary.add(snapshot) }
    guard !knows(index) else { return }
    state.withLock { $0.place.add(index, groupsOf: Self.aheadMax) }
    try await write(.snapshot(snapshot))
  }

  /// The last message.
  func end() async throws { try await write(.summary(state.withLock { $0.summary })) }

  private func write(_ step: RevalidateResponse.Step) async throws {
    let cursor = cursor
    try await responses.write(
      RevalidateResponse(groupId: group.description, step: step, cursor: cursor ?? ""),
      resumeCursor: cursor)
  }
}

extension GroupPlace {
  /// Whether an item was told of: it comes before the count, or the mask, which begins there, has it.
  func holds(_ index: Int) -> Bool {
    if index < count { return true }
    let bit = index - count
    return bit < Self.maskCountMax && mask >> bit & 1 == 1
  }

  /// Takes an item, of the group of so many that begins at the count or of a later one: none is begun before
  /// all of the one before was told.
  mutating func add(_ index: Int, groupsOf size: Int) {
    if index - count >= size {
      count = index / size * size
      mask = 0
    }
    mask |= 1 << (index - count)
  }
}

extension RevalidatedSnapshot {
  init(_ run: Domain.ValidationRun, before: StateBefore) {
    let isDecided = run.verdict?.isDecided ?? false
    self.init(
      runId: run.id.description, snapshotId: run.snapshotID.description,
      userId: run.userID.description, taskId: run.taskID?.description ?? "",
      verdictBefore: before.verdict.map { Contract.Verdict($0) } ?? .unspecified,
      verdictAfter: run.verdict.map { Contract.Verdict($0) } ?? .unspecified,
      scoreBefore: before.score ?? 0, scoreAfter: run.score ?? 0,
      // What decides nothing changes nothing.
      changed: isDecided && (before.verdict != run.verdict || before.score != run.score),
      applied: isDecided && !run.isPreview,
      reason: isDecided ? "" : run.report?.reason ?? run.status.rawValue)
  }

  /// What was written of a preview, by what was remembered when it was.
  static func applied(_ run: Domain.ValidationRun, _ bytes: [UInt8]) -> RevalidatedSnapshot {
    var message = RevalidatedSnapshot(
      run, before: StateBefore(String(decoding: bytes, as: UTF8.self)))
    message.applied = true
    return message
  }
}

extension RevalidationSummary {
  fileprivate mutating func add(_ snapshot: RevalidatedSnapshot) {
    count += 1
    if snapshot.applied { appliedCount += 1 }
    let isDecided = snapshot.verdictAfter == .passed || snapshot.verdictAfter == .failed
    guard isDecided else {
      undecidedCount += 1
      return
    }
    scoreDifference += snapshot.scoreAfter - snapshot.scoreBefore
    guard snapshot.changed else { return }
    changedCount += 1
    if snapshot.verdictAfter != snapshot.verdictBefore {
      if snapshot.verdictAfter == .passed { newlyPassedCount += 1 } else { newlyFailedCount += 1 }
    }
  }
}
