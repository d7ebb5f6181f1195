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
      let done = await turn(&portion)
      if let failure = done.failure { outage.failed("\(failure)") } else { outage.worked() }
      // One course that fails again and again holds up no other.
      if done.copiedCount > 0 {
        pause = Self.idleInterval
        continue
      }
      try await clock.sleep(for: pause)
      pause = done.failure == nil ? Self.idleInterval : min(pause * 2, Self.pauseMax)
    }
  }

  /// A portion of each course that is behind.
  ///
  /// - Parameter portion: how many learners at once; smaller after one that took too long.
  /// - Returns: of how many courses a portion was copied, and what went wrong last.
  package func turn(_ portion: inout Int) async -> (copiedCount: Int, failure: StoreError?) {
    var last: EntityID?
    var done: (copiedCount: Int, failure: StoreError?) = (0, nil)
    do throws(StoreError) {
      while let course = try await store.courseToCopy(after: last) {
        last = course
        do throws(StoreError) {
          if try await copy(course, &portion) { done.copiedCount += 1 }
        } catch {
          done.failure = error
        }
      }
    } catch {
      done.failure = error
    }
    return done
  }

  /// False where it took too long.
  private func copy(_ course: EntityID, _ portion: inout Int) async throws(StoreError) -> Bool {
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
    case .success:
      // Slowly: each that takes too long keeps its course locked meanwhile.
      portion = min(portion + Self.portionMin, Self.portionMax)
      return true
    case .failure(.timedOut) where portion > Self.portionMin:
      portion = max(portion / 4, Self.portionMin)
      return false
    case .failure(let error): throw error
    }
  }
}
