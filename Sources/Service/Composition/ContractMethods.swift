internal import Contract
internal import RPC

/// Every method of the contract, and which of them this server has.
enum ContractMethods {
  static let package = "hito.v1."

  static let all: [MethodDescriptor] = [
    UserServiceMethods.all, CourseServiceMethods.all, GoalServiceMethods.all,
    TaskServiceMethods.all, ProgressServiceMethods.all, CodeValidationServiceMethods.all,
    RetrievalServiceMethods.all, AnalyticsServiceMethods.all, EventServiceMethods.all,
    HealthServiceMethods.all, ReflectionServiceMethods.all, ServerServiceMethods.all,
    PrivacyServiceMethods.all,
  ].flatMap { $0 }.sorted { $0.path < $1.path }

  /// Those that answer UNIMPLEMENTED; a test calls every method and compares.
  static let unimplemented: Set<String> = Set(
    PrivacyServiceMethods.all.map(\.path)
      + [
        CodeValidationServiceMethods.validateCode,
        EventServiceMethods.publishEvents, EventServiceMethods.createConsumerGroup,
        EventServiceMethods.listConsumerGroups, EventServiceMethods.deleteConsumerGroup,
        EventServiceMethods.consume, EventServiceMethods.replayParked,
        AnalyticsServiceMethods.getActivity, AnalyticsServiceMethods.getCohort,
        AnalyticsServiceMethods.getForecast,
        ServerServiceMethods.getQuota, ServerServiceMethods.setQuota,
        ServerServiceMethods.listAuditEntries,
      ].map(\.path))
}
