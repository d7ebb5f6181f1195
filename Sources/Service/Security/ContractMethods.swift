internal import Contract
internal import RPC

/// Every method of the contract.
enum ContractMethods {
  static let all: [MethodDescriptor] = [
    UserServiceMethods.all, CourseServiceMethods.all, GoalServiceMethods.all,
    TaskServiceMethods.all, ProgressServiceMethods.all, CodeValidationServiceMethods.all,
    RetrievalServiceMethods.all, AnalyticsServiceMethods.all, EventServiceMethods.all,
    HealthServiceMethods.all, ReflectionServiceMethods.all, ServerServiceMethods.all,
    PrivacyServiceMethods.all,
  ].flatMap { $0 }.sorted { $0.path < $1.path }
}
