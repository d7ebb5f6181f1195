internal import Contract
internal import RPC

/// The reply of a method that writes through `WriteExecutor`.
protocol WriteResponse: WireMessage {
  var receipt: WriteReceipt? { get set }
}

extension CreateUserResponse: WriteResponse {}
extension UpdateUserResponse: WriteResponse {}
extension DeactivateUserResponse: WriteResponse {}
extension CreateCourseResponse: WriteResponse {}
extension UpdateCourseResponse: WriteResponse {}
extension ArchiveCourseResponse: WriteResponse {}
extension ReopenCourseResponse: WriteResponse {}
extension DeleteCourseResponse: WriteResponse {}
extension EnrolResponse: WriteResponse {}
extension LeaveResponse: WriteResponse {}
extension IngestDocumentsResponse: WriteResponse {}
extension DeleteDocumentResponse: WriteResponse {}
extension CreateGoalResponse: WriteResponse {}
extension UpdateGoalResponse: WriteResponse {}
extension StartGoalResponse: WriteResponse {}
extension CompleteGoalResponse: WriteResponse {}
extension ReopenGoalResponse: WriteResponse {}
extension ArchiveGoalResponse: WriteResponse {}
extension DeleteGoalResponse: WriteResponse {}
extension CreateTaskResponse: WriteResponse {}
extension UpdateTaskResponse: WriteResponse {}
extension StartTaskResponse: WriteResponse {}
extension CompleteTaskResponse: WriteResponse {}
extension ReopenTaskResponse: WriteResponse {}
extension ArchiveTaskResponse: WriteResponse {}
extension DeleteTaskResponse: WriteResponse {}
extension ReorderTasksResponse: WriteResponse {}
extension CreateSnapshotResponse: WriteResponse {}
extension RecordVerdictResponse: WriteResponse {}
extension SetSharingResponse: WriteResponse {}
extension ResolveProposalResponse: WriteResponse {
  /// A rejection has none: nothing was stored that could be read.
  var receipt: WriteReceipt? {
    get { result?.receipt }
    set { result?.receipt = newValue }
  }
}
