internal import Contract
internal import Domain
internal import EventLog
internal import RPC

/// Shows a validation to a client: turns its events into messages, each with the cursor of its place, from
/// which a stream is continued on any server.
struct ValidationStream: Sendable {
  let journal: ValidationJournal
  let live: any LiveLog
  let cursors: CursorCodec
  let responses: ResponseWriter<ValidateCodeResponse>

  private var options: ValidationOptions { journal.options }

  /// What a stream knows of where it is.
  fileprivate struct Place {
    var version: Int64 = 0
    /// Of the last message that was sent.
    var cursor = ""
    var stage = Contract.ValidationStage.prepare
    var attempt: Int32 = 0
    /// Nil: everything is shown. Otherwise what comes before it is not.
    var unreached: RunPlace?
    var queuePosition: Int?
    var hasEnded = false
  }

  /// Shows a validation until it has ended.
  ///
  /// - Parameters:
  ///   - place: after which; nil for all of it.
  ///   - endsWithDrain: whether a server that goes away ends this at once.
  ///   - beforeEnd: shows what comes between the verdict and the last message.
  func show(
    _ id: EntityID, _ caller: Caller, after start: RunPlace?,
    beforeEnd: (Domain.ValidationRun) async throws -> Void = { _ in }
  ) async throws {
    let scope = AccessScope(caller)
    guard try await journal.ports.validations.validation(id, scope: scope) != nil else {
      throw DomainError.notFound(.validation, id)
    }
    var place = Place()
    place.unreached = start
    var position = live.head ?? 0
    var isFirst = true
    while true {
      let events = try await journal.events(of: id, after: &place.version, scope: scope)
      for (stored, event) in events {
        try await show(event, stored.id, id, caller, &place, beforeEnd)
      }
      if isFirst, place.unreached != nil { throw RPCError.badCursor("is not of this validation") }
      if place.hasEnded { return }
      isFirst = false
      try await showQueue(id, &place)
      if live.isDraining {
        throw RPCError.draining(resumeCursor: place.cursor.isEmpty ? nil : place.cursor)
      }
      try await waitForNews(of: id, after: &position)
    }
  }

  private func show(
    _ event: ValidationEvent, _ eventID: EntityID, _ id: EntityID, _ caller: Caller,
    _ place: inout Place, _ beforeEnd: (Domain.ValidationRun) async throws -> Void
  ) async throws {
    var known = 0
    if let unreached = place.unreached {
      known = .max
      if unreached.eventID == eventID {
        place.unreached = nil
        known = unreached.messageCount
      }
    }
    switch event {
    case .requested: return
    case .progressed(let steps, let attempt):
      place.attempt = Int32(clamping: attempt)
      for (index, step) in steps.enumerated() {
        place.follow(step)
        guard index >= known, let shown = ValidateCodeResponse.Step(step) else { continue }
        let isLast = index == steps.count - 1
        let cursor =
          isLast ? cursors.receipt(eventID) : cursors.step(eventID, messageCount: index + 1)
        try await send(shown, id, cursor, &place)
      }
    case .completed, .cancelled:
      place.hasEnded = true
      guard known == 0 else { return }
      try await showEnd(id, caller, cursors.receipt(eventID), &place, beforeEnd)
    }
  }

  private func showEnd(
    _ id: EntityID, _ caller: Caller, _ cursor: String, _ place: inout Place,
    _ beforeEnd: (Domain.ValidationRun) async throws -> Void
  ) async throws {
    let scope = AccessScope(caller)
    guard let found = try await journal.ports.validations.validation(id, scope: scope) else {
      throw DomainError.notFound(.validation, id)
    }
    try await beforeEnd(found.run)
    place.stage = .verdict
    place.attempt = Int32(clamping: found.run.attempt)
    let snapshot = try await journal.snapshots.snapshot(found.run.snapshotID, scope: scope)
    let response = ValidateCodeResponse(
      stage: .verdict,
      step: .result(snapshot.map { Contract.CodeSnapshot($0) } ?? Contract.CodeSnapshot()),
      runId: id.description, cursor: cursor, attempt: place.attempt,
      validation: Contract.ValidationRun(found))
    try await responses.write(response, resumeCursor: cursor)
  }

  private func send(
    _ step: ValidateCodeResponse.Step, _ id: EntityID, _ cursor: String, _ place: inout Place
  ) async throws {
    let response = ValidateCodeResponse(
      stage: place.stage, step: step, runId: id.description, cursor: cursor,
      attempt: place.attempt)
    try await responses.write(response, resumeCursor: cursor)
    place.cursor = cursor
  }

  /// Where a validation waits is told when it has moved; nobody comes back to it.
  private func showQueue(_ id: EntityID, _ place: inout Place) async throws {
    guard place.attempt == 0 else { return }
    guard let position = try await journal.ports.queue.position(of: id),
      position != place.queuePosition
    else { return }
    place.queuePosition = position
    let response = ValidateCodeResponse(
      stage: .prepare, step: .queued(QueuePlace(position: Int32(clamping: position))),
      runId: id.description)
    try await responses.write(response, resumeCursor: place.cursor.isEmpty ? nil : place.cursor)
  }

  private func waitForNews(of id: EntityID, after position: inout Int64) async throws {
    try await LogNews(live: live, interval: options.followInterval, clock: options.clock)
      .wait(of: id, after: &position)
  }
}

extension ValidationStream.Place {
  fileprivate mutating func follow(_ step: ValidationStep) {
    switch step {
    case .stageStarted(let stage): self.stage = Contract.ValidationStage(stage)
    case .stageFinished(let report): stage = Contract.ValidationStage(report.stage)
    case .run(let stage, _): self.stage = Contract.ValidationStage(stage)
    case .queued, .diagnostic, .test: break
    }
  }
}
