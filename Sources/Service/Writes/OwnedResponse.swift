internal import Contract

/// A reply that shows what is one user's: that user may have it again, whatever has become of it.
protocol OwnedResponse {
  /// Empty where it shows nothing.
  var ownerID: String { get }
}

extension CreateUserResponse: OwnedResponse { var ownerID: String { user?.id ?? "" } }
extension UpdateUserResponse: OwnedResponse { var ownerID: String { user?.id ?? "" } }
extension DeactivateUserResponse: OwnedResponse { var ownerID: String { user?.id ?? "" } }

extension CreateCourseResponse: OwnedResponse { var ownerID: String { course?.userId ?? "" } }
extension UpdateCourseResponse: OwnedResponse { var ownerID: String { course?.userId ?? "" } }
extension ArchiveCourseResponse: OwnedResponse { var ownerID: String { course?.userId ?? "" } }
extension ReopenCourseResponse: OwnedResponse { var ownerID: String { course?.userId ?? "" } }

extension EnrolResponse: OwnedResponse { var ownerID: String { enrolment?.userId ?? "" } }
extension AcceptEnrolmentResponse: OwnedResponse { var ownerID: String { enrolment?.userId ?? "" } }
extension DeclineEnrolmentResponse: OwnedResponse {
  var ownerID: String { enrolment?.userId ?? "" }
}
extension LeaveResponse: OwnedResponse { var ownerID: String { enrolment?.userId ?? "" } }

extension CreateGoalResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension UpdateGoalResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension StartGoalResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension CompleteGoalResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension ReopenGoalResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension ArchiveGoalResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension ResolveProposalResponse: OwnedResponse {
  var ownerID: String { result?.goal?.userId ?? "" }
}

extension CreateTaskResponse: OwnedResponse { var ownerID: String { task?.userId ?? "" } }
extension UpdateTaskResponse: OwnedResponse { var ownerID: String { task?.userId ?? "" } }
extension StartTaskResponse: OwnedResponse { var ownerID: String { task?.userId ?? "" } }
extension CompleteTaskResponse: OwnedResponse { var ownerID: String { task?.userId ?? "" } }
extension ReopenTaskResponse: OwnedResponse { var ownerID: String { task?.userId ?? "" } }
extension ArchiveTaskResponse: OwnedResponse { var ownerID: String { task?.userId ?? "" } }
extension DeleteTaskResponse: OwnedResponse { var ownerID: String { goal?.userId ?? "" } }
extension ReorderTasksResponse: OwnedResponse { var ownerID: String { tasks.first?.userId ?? "" } }

extension CreateSnapshotResponse: OwnedResponse { var ownerID: String { snapshot?.userId ?? "" } }
extension RecordVerdictResponse: OwnedResponse { var ownerID: String { snapshot?.userId ?? "" } }
extension SetSharingResponse: OwnedResponse { var ownerID: String { snapshot?.userId ?? "" } }
extension CancelValidationResponse: OwnedResponse {
  var ownerID: String { validation?.userId ?? "" }
}
extension ImportSarifResponse: OwnedResponse { var ownerID: String { validation?.userId ?? "" } }
