package import Domain
package import Logging
import Logs

/// Brings the copies of courses for those enrolled up to date, in portions: a course can have more
/// learners than one statement has time for. Each portion is committed by itself, so that whatever
/// dies when, whichever server comes next continues; several at once take turns.
package struct CourseCopier: Sendable {
  package static let portionMax = 500
  package static let portionMin = 10
  /// While a portion is copied its course can be neither joined nor left.
  private static let portionTimeout = Duration.seconds(5)
  private static let idleInterval = Duration.seconds(1)
  private static let pauseMax = Duration.seconds(30)

  private let store: any CourseCopyStore
  private let clock: any Clock<Duration>
  private let logger: Logger

  package init(
    store: any CourseCopyStore, clock: any Clock<Duration> = ContinuousClock(), logger: Logger
  ) {
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  /// Runs until the task is cancelled; a failure is logged and tried again.
  package func run() async throws {
    let outage = OutageLog(logger, "copying courses for those enrolled")
    var portion = Self.portionMax
    var pause = Self.idleInterval
    while true {
      do throws(StoreError) {
        let hasWorked = try await turn(&portion)
        outage.worked()
        pause = Self.idleInterval
        if hasWorked { continue }
      } catch {
        outage.failed("\(error)")
        pause = min(pause * 2, Self.pauseMax)
      }
      try await clock.sleep(for: pause)
    }
  }

  /// A portion of each course that is behind.
  ///
  /// - Parameter portion: how many learners at once; smaller after one that took too long.
  /// - Returns: whether there was any.
  package func turn(_ portion: inout Int) async throws(StoreError) -> Bool {
    var last: EntityID?
    var failure: StoreError?
    while let course = try await store.courseToCopy(after: last) {
      last = course
      do throws(StoreError) {
        try await copy(course, &portion)
      } catch {
        // One course that fails must not hold up the others.
        failure = error
      }
    }
    if let failure { throw failure }
    return last != nil
  }

  private func copy(_ course: EntityID, _ portion: inout Int) async throws(StoreError) {
    let limit = portion
    let store = store
    let result: Result<Bool, StoreError> = await CallDeadline.$current.withValue(
      .now + Self.portionTimeout
    ) {
      do throws(StoreError) {
        return .success(try await store.copyCourse(course, limit: limit))
      } catch {
        return .failure(error)
      }
    }
    switch result {
    case .success: portion = min(portion * 2, Self.portionMax)
    case .failure(.timedOut) where portion > Self.portionMin:
      portion = max(portion / 4, Self.portionMin)
    case .failure(let error): throw error
    }
  }
}
