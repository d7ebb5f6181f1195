import Threads

extension WorkerThreads<Void> {
  /// Runs `body` on one of the threads; `.overloaded` where too many wait for them.
  func perform<Value: Sendable>(
    _ body: @escaping @Sendable () throws(LakeError) -> Value
  ) async throws(LakeError) -> Value {
    let result = await value { () -> Result<Value, LakeError> in
      do throws(LakeError) {
        return .success(try body())
      } catch {
        return .failure(error)
      }
    }
    guard let result else { throw .overloaded }
    return try result.get()
  }
}
