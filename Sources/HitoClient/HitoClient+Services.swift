// The services of the contract, as properties.
extension HitoClient {
  public var users: UserServiceClient { UserServiceClient(transport) }
  public var courses: CourseServiceClient { CourseServiceClient(transport) }
  public var goals: GoalServiceClient { GoalServiceClient(transport) }
  public var tasks: TaskServiceClient { TaskServiceClient(transport) }
  public var progress: ProgressServiceClient { ProgressServiceClient(transport) }
  public var events: EventServiceClient { EventServiceClient(transport) }
  public var analytics: AnalyticsServiceClient { AnalyticsServiceClient(transport) }
  public var retrieval: RetrievalServiceClient { RetrievalServiceClient(transport) }
  public var codeValidation: CodeValidationServiceClient {
    CodeValidationServiceClient(transport)
  }
  public var privacy: PrivacyServiceClient { PrivacyServiceClient(transport) }
  public var health: HealthServiceClient { HealthServiceClient(transport) }
  public var reflection: ReflectionServiceClient { ReflectionServiceClient(transport) }
  public var server: ServerServiceClient { ServerServiceClient(transport) }
}
