internal import CCurl
internal import Glibc
internal import Synchronization
internal import Threads

/// The thread that moves a client's transfers on. What others want of it waits in a list; libcurl's
/// handles are touched by this thread only.
final class HTTPLoop: Sendable {
  private enum Command {
    case start(HTTPTransfer, HTTPTransferHandle)
    case resume(ObjectIdentifier)
    case end(ObjectIdentifier)
  }

  private struct State {
    var commands: [Command] = []
    var isStopped = false
  }

  private let state = Mutex(State())
  private let handle: LoopHandle

  /// Throws `.exhausted` where there is no memory or no thread for it.
  init() throws(HTTPError) {
    guard let handle = LoopHandle() else { throw .exhausted }
    self.handle = handle
    guard startThread({ [self] in run() }) else { throw .exhausted }
  }

  // MARK: From any thread

  func start(_ transfer: HTTPTransfer, _ handle: HTTPTransferHandle) {
    post(.start(transfer, handle))
  }

  /// The reader has caught up.
  func resume(_ transfer: HTTPTransfer) { post(.resume(ObjectIdentifier(transfer))) }

  /// Nobody reads it any more: its connection is closed, unless it has ended.
  func end(_ transfer: HTTPTransfer) { post(.end(ObjectIdentifier(transfer))) }

  /// Ends all transfers and the thread.
  func stop() {
    state.withLock { $0.isStopped = true }
    handle.wake()
  }

  private func post(_ command: Command) {
    state.withLock { $0.commands.append(command) }
    handle.wake()
  }

  // MARK: The thread

  private func run() {
    var transfers: [ObjectIdentifier: (transfer: HTTPTransfer, handle: HTTPTransferHandle)] = [:]
    func free(_ id: ObjectIdentifier, _ result: Result<Void, HTTPError>) {
      guard let (transfer, transferHandle) = transfers.removeValue(forKey: id) else { return }
      hito_http_transfer_free(handle.pointer, transferHandle.pointer)
      transfer.ended(result)
    }
    while true {
      let (commands, isStopped) = state.withLock { state in
        defer { state.commands = [] }
        return (state.commands, state.isStopped)
      }
      for command in commands {
        switch command {
        case .start(let transfer, let transferHandle):
          let id = ObjectIdentifier(transfer)
          transfers[id] = (transfer, transferHandle)
          if hito_http_loop_add(handle.pointer, transferHandle.pointer) != 1 {
            free(id, .failure(.exhausted))
          }
        case .resume(let id):
          if let entry = transfers[id] { hito_http_transfer_resume(entry.handle.pointer) }
        case .end(let id): free(id, .failure(.cancelled))
        }
      }
      var isBroken = hito_http_loop_perform(handle.pointer) != 1
      var outcome = HITO_HTTP_DONE
      while let context = hito_http_loop_next_ended(handle.pointer, &outcome) {
        guard let transfer = HTTPTransfer.of(context) else { continue }
        free(ObjectIdentifier(transfer), Self.result(outcome))
      }
      if !isStopped, !isBroken { isBroken = hito_http_loop_wait(handle.pointer) != 1 }
      guard isStopped || isBroken else { continue }
      for id in Array(transfers.keys) { free(id, .failure(isStopped ? .cancelled : .broken)) }
      if isStopped { return }
    }
  }

  private static func result(_ outcome: hito_http_outcome) -> Result<Void, HTTPError> {
    switch outcome {
    case HITO_HTTP_DONE: .success(())
    case HITO_HTTP_UNREACHABLE: .failure(.unreachable)
    case HITO_HTTP_UNTRUSTED: .failure(.untrusted)
    case HITO_HTTP_INVALID: .failure(.invalidRequest)
    default: .failure(.broken)
    }
  }
}

/// libcurl's loop. Unchecked: only waking it is done by many threads, which libcurl allows
/// (`curl_multi_wakeup`); all else is done by the loop's thread, and freeing it when nobody is left.
private final class LoopHandle: @unchecked Sendable {
  let pointer: OpaquePointer

  init?() {
    guard let pointer = hito_http_loop_take() else { return nil }
    self.pointer = pointer
  }

  deinit { hito_http_loop_free(pointer) }

  func wake() { hito_http_loop_wake(pointer) }
}
