import Domain

extension WriteCalls {
  static func calls(for update: PassageUpdate) -> [StatementCall] {
    if update.isOfNewEntity { return update.upserts.flatMap(insert) + copyRequest(update) }
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
    guard !update.upserts.isEmpty else { return calls + copyRequest(update) }
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
    return calls + copyRequest(update)
  }

  /// A passage that can not be there yet, and its vector.
  private static func insert(_ upsert: PassageUpsert) -> [StatementCall] {
    guard let embedding = upsert.embedding else {
      return [PassageStatements.insert(Inserted(upsert))]
    }
    return [
      PassageStatements.insertWithVector(
        Inserted(upsert), embedding.model, VectorParameter(embedding.vector))
    ]
  }

  /// Asks for the copies of a course whose first passage has changed. After the passages, which are
  /// locked first everywhere.
  private static func copyRequest(_ update: PassageUpdate) -> [StatementCall] {
    let isFirst =
      update.removesAll || update.removedChunkNumbers.contains(0)
      || update.upserts.contains { $0.passage.chunkNumber == 0 }
    return update.kind == .course && isFirst ? [CourseCopyStatements.request(update.entityID)] : []
  }

  static func embed(_ made: MadeEmbedding, model: String) -> [StatementCall] {
    let embed = PassageStatements.embed(
      made.key.parameters, Bytes(made.contentHash), model, VectorParameter(made.vector))
    guard made.key.kind == .course, made.key.chunkNumber == 0 else { return [embed] }
    let course = made.key.entityID
    return [PassageStatements.lockCourse(course), embed, CourseCopyStatements.request(course)]
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
