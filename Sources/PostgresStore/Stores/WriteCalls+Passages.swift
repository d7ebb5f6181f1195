import Domain

extension WriteCalls {
  static func calls(for update: PassageUpdate) -> [StatementCall] {
    var calls: [StatementCall] = []
    if update.removesAll {
      calls += [PassageStatements.removeAll, PassageStatements.removeAllVectors].map { statement in
        statement { parameters in
          parameters.append(update.kind.rawValue)
          parameters.append(update.entityID)
        }
      }
    } else if !update.removedChunkNumbers.isEmpty {
      calls += [PassageStatements.remove, PassageStatements.removeVectors].map { statement in
        statement { parameters in
          parameters.append(update.kind.rawValue)
          parameters.append(update.entityID)
          parameters.append(update.removedChunkNumbers)
        }
      }
    }
    guard let owner = update.upserts.first?.passage.userID else { return calls }
    calls.append(save(update, owner: owner))
    for upsert in update.upserts {
      guard let embedding = upsert.embedding else { continue }
      calls += embed(
        MadeEmbedding(
          key: upsert.passage.key, contentHash: upsert.contentHash, vector: embedding.vector),
        model: embedding.model)
    }
    return calls
  }

  private static func save(_ update: PassageUpdate, owner: UUIDv7) -> StatementCall {
    let passages = update.upserts.map(\.passage)
    return PassageStatements.save { parameters in
      parameters.append(update.kind.rawValue)
      parameters.append(update.entityID)
      parameters.append(owner)
      parameters.append(passages.map(\.chunkNumber))
      parameters.append(passages.map(\.title))
      parameters.append(passages.map(\.content))
      parameters.append(blobs: update.upserts.map(\.contentHash))
      parameters.append(passages.map(\.language))
      parameters.append(passages.map(\.documentPath))
      parameters.append(passages.map(\.anchor))
      parameters.append(update.upserts.map { Int32($0.embedding == nil ? 0 : 1) })
      // The vectors of one write are of one model.
      parameters.append(update.upserts.lazy.compactMap(\.embedding?.model).first ?? "")
    }
  }

  static func embed(_ made: MadeEmbedding, model: String) -> [StatementCall] {
    let embed = PassageStatements.embed { parameters in
      parameters.append(made.key.kind.rawValue)
      parameters.append(made.key.entityID)
      parameters.append(made.key.chunkNumber)
      parameters.append(bytes: made.contentHash)
      parameters.append(model)
      parameters.append(made.vector)
    }
    guard made.key.kind == .course, made.key.chunkNumber == 0 else { return [embed] }
    return [PassageStatements.lockCourse { $0.append(made.key.entityID) }, embed]
  }

  /// The copy of a course's first passage by which those enrolled find it: made, or taken away.
  static func copies(for enrolment: Enrolment) -> [StatementCall] {
    let statement =
      enrolment.isActive ? PassageStatements.copyCourse : PassageStatements.removeCopy
    let change = statement { parameters in
      parameters.append(enrolment.courseID)
      parameters.append(enrolment.userID)
    }
    return [PassageStatements.shareCourse { $0.append(enrolment.courseID) }, change]
  }
}
