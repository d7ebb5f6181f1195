internal import Contract
internal import Domain
internal import RPC

extension CourseService {
  func ingestDocuments(
    _ requests: RequestStream<IngestDocumentsRequest>, _ context: CallContext
  ) async throws -> IngestDocumentsResponse {
    let caller = try context.caller
    var requests = requests
    guard case .start(let start)? = try await requests.next()?.step else {
      throw DomainError.invalid("start", "must be the first message of the stream")
    }
    let id = try EntityID(parsing: start.courseId, field: "start.course_id")
    let course = try await ownCourse(id, nil, caller)
    var ingestion = try await DocumentIngestion(
      writes: writes, courses: courses, documents: try documents(), context: context,
      caller: caller, course: course, start: start)
    while let request = try await requests.next() {
      guard case .document(let document)? = request.step else {
        throw DomainError.invalid("document", "must be what each message after the first brings")
      }
      try await admission.turn(.bulk, context) { try await ingestion.take(document) }
    }
    return try await admission.turn(.bulk, context) {
      try await ingestion.finish(replacingAll: start.replaceAll)
    }
  }

  func listDocuments(
    _ request: ListDocumentsRequest, _ context: CallContext
  ) async throws -> ListDocumentsResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    let paging = try Paging(request, context, caller, cursors)
    try await waiter.checkRowRead(request.minCursor)
    try await checkMayRead(try await course(id, caller), caller)
    let page = try await documents().repository.documents(
      course: id, page: paging.request, scope: AccessScope(caller))
    return ListDocumentsResponse(
      documents: page.items.map(DocumentInfo.init), page: paging.info(page.next))
  }

  func deleteDocument(
    _ request: DeleteDocumentRequest, _ context: CallContext
  ) async throws -> DeleteDocumentResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.courseId, field: "course_id")
    try Domain.CourseDocument.checkPath(request.path, field: "path")
    let documents = try documents()
    return try await writes.perform(context, caller, .uncharged) { change in
      let course = try await ownCourse(id, nil, caller)
      let stored = try await documents.repository.document(
        course: course.id, path: request.path, scope: AccessScope(caller))
      guard let stored, !stored.isDeleted else { throw DomainError.notFound(.document, id) }
      return try await documents.removal(of: stored, change, DeleteDocumentResponse())
    }
  }

  private func documents() throws(RPCError) -> CourseDocuments {
    guard let material else {
      throw RPCError(.unimplemented, "this server has no documents of courses")
    }
    return material
  }

  /// A course's material is for its owner, those enrolled, services and admins.
  private func checkMayRead(_ course: Domain.Course, _ caller: Caller) async throws {
    if caller.role.seesEverybody || course.userID == caller.userID { return }
    let enrolment = try await courses.enrolment(
      course: course.id, user: caller.userID, scope: AccessScope(caller))
    guard enrolment?.isActive == true else {
      throw DomainError.forbidden("only its owner and those enrolled may read a course's documents")
    }
  }
}

extension DocumentInfo {
  fileprivate init(_ listed: ListedDocument) {
    let document = listed.document
    self.init(
      path: document.path, title: document.title, version: document.version,
      sectionCount: document.sectionCount, embeddedSectionCount: listed.embeddedSectionCount,
      contentHash: document.contentHash, updatedAt: Contract.Timestamp(document.updatedAt))
  }
}
