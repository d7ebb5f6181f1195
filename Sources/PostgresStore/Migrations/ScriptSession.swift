import Threads

/// One blocking connection on a thread of its own, for migrations and other scripts. Not for calls.
package final class ScriptSession: Sendable {
  private let thread: WorkerThreads<Void>
  private let connection: PQConnection

  package init(_ settings: ConnectionSettings) async throws(ConnectFailure) {
    // Scripts run one after the other; a session is not for many callers.
    thread = WorkerThreads(count: 1, waitingMax: 1024)
    let made = await thread.value { () -> Result<PQConnection, ConnectFailure> in
      do throws(ConnectFailure) {
        return .success(try settings.connectBlocking())
      } catch {
        return .failure(error)
      }
    }
    guard let made else { throw .refused("the system has no thread left") }
    do {
      connection = try made.get()
    } catch {
      thread.stop()
      throw error
    }
  }

  deinit { thread.stop() }

  /// Runs one or more statements and returns the rows of the last as text.
  ///
  /// The connection is used on this session's thread only, one script after the other.
  @discardableResult
  package func run(_ sql: String) async throws(ServerError) -> [[String?]] {
    let connection = connection
    let rows = await thread.value { () -> Result<[[String?]], ServerError> in
      do throws(ServerError) {
        return .success(try connection.run(sql))
      } catch {
        return .failure(error)
      }
    }
    guard let rows else { throw ServerError(sqlState: "08003", message: "the session is closed") }
    return try rows.get()
  }
}
