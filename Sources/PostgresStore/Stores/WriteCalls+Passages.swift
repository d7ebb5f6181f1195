import Domain

extension WriteCalls {
  static func calls(for update: PassageUpdate) -> [StatementCall] {
    var calls: [StatementCall] = []
    if update.removesAll {
      calls += [PassageStatements.removeAll, PassageStatements.removeAllVectors].map {
        $0(update.kind, update.entityID)
      }
    } else if !update.removedChunkNumbers.isEmpty {
      calls += [PassageStatements.remove, PassageStatements.removeVectors].map {
        $0(update.kind, update.entityID, update.removedChunkNumbers)
      }
    }
    guard !update.upserts.isEmpty else { return calls }
    calls.append(
      PassageStatements.save(
        Listed(update.upserts), update.upserts.map { $0.embedding != nil },
        // The vectors of one write are of one model.
        update.upserts.lazy.compactMap(\.embedding?.model).first ?? ""))
    for upsert in update.upserts {
      guard let embedding = upsert.embedding else { continue }
      calls += embed(
        MadeEmbedding(
          key: upsert.passage.key, contentHash: upsert.contentHash, vector: embedding.vector),
        model: embedding.model)
    }
    return calls
  }

  static func embed(_ made: MadeEmbedding, model: String) -> [StatementCall] {
    let embed = PassageStatements.embed(
      made.key.parameters, Bytes(made.contentHash), model, made.vector)
    guard made.key.kind == .course, made.key.chunkNumber == 0 else { return [embed] }
    return [PassageStatements.lockCourse(made.key.entityID), embed]
  }

  /// The copy of a course's first passage by which those enrolled find it: made, or taken away.
  static func copies(for enrolment: Enrolment) -> [StatementCall] {
    let statement =
      enrolment.isActive ? PassageStatements.copyCourse : PassageStatements.removeCopy
    return [
      PassageStatements.shareCourse(enrolment.courseID),
      statement(enrolment.courseID, enrolment.userID),
    ]
  }
}
