import Domain

extension WriteCalls {
  static func calls(for document: CourseDocument) -> [StatementCall] {
    let course = DocumentStatements.courseIsThere { $0.append(document.courseID) }
    // What is taken out may be of a course that goes as well.
    return document.isDeleted ? [save(document)] : [course, save(document)]
  }

  private static func save(_ document: CourseDocument) -> StatementCall {
    guard document.version == 1 else {
      return DocumentStatements.update { parameters in bind(document, &parameters) }
    }
    return DocumentStatements.insert { parameters in
      bind(document, &parameters)
      parameters.append(document.courseID)
      parameters.append(document.path)
      parameters.append(document.ordinal)
      parameters.append(document.createdAt)
    }
  }

  private static func bind(_ document: CourseDocument, _ parameters: inout ParameterBuffer) {
    parameters.append(document.id)
    parameters.append(document.title)
    parameters.append(document.language)
    parameters.append(document.format.rawValue)
    parameters.append(document.content)
    parameters.append(bytes: document.contentHash)
    parameters.append(Int32(clamping: document.byteCount))
    parameters.append(document.sectionCount)
    parameters.append(document.chunkCount)
    parameters.append(document.isDeleted)
    parameters.append(document.version)
    parameters.append(document.updatedAt)
  }
}
