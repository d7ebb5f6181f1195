import Domain
import PostgresStore
import Service

/// What validates code here.
enum Validators {
  /// Nil: this build has no sandbox, so that every verdict is INCONCLUSIVE, with the reason.
  static func make() -> (any CodeValidator)? {
    #if DEBUG
      return scriptedForTests()
    #else
      return nil
    #endif
  }

  static func ports(_ database: PostgresDatabase) -> ValidationPorts {
    let store = PostgresValidationStore(database)
    return ValidationPorts(
      validations: store, queue: store, tests: PostgresTaskTestsStore(database),
      validator: make())
  }
}
