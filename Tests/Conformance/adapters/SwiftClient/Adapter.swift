import Glibc
import HitoClient
import JSON
import Synchronization

/// Takes requests on one thread, makes calls in tasks, answers a line each.
final class Adapter: Sendable {
  private struct Running {
    let task: Task<Void, Never>
    let resume: AsyncStream<Void>.Continuation
  }

  private struct State {
    var clients: [String: HitoClient] = [:]
    var calls: [Int64: Running] = [:]
  }

  private let state = Mutex(State())
  private let output = Mutex(())

  /// In the order of the lines: a client is there before its calls begin.
  func take(_ request: JSONValue, id: Int64) {
    switch request["op"]?.stringValue {
    case "open": answer(id, open(request))
    case "call": call(request, id)
    case "cancel":
      running(request)?.task.cancel()
      answer(id, [])
    case "resume":
      running(request)?.resume.yield()
      answer(id, [])
    case "close":
      state.withLock { $0.clients[request["client"]?.stringValue ?? ""] }?.close()
      answer(id, [])
    default: answer(id, [("error", .string("unknown op"))])
    }
  }

  private func running(_ request: JSONValue) -> Running? {
    guard let id = request["call"]?.integerValue else { return nil }
    return state.withLock { $0.calls[id] }
  }

  private func open(_ request: JSONValue) -> Reply {
    let addresses = request["addresses"]?.arrayValue?.compactMap(\.stringValue) ?? []
    var configuration = HitoClientConfiguration(
      addresses: HitoAddress.list(addresses.joined(separator: ",")) ?? [],
      tls: .authority(file: request["ca_file"]?.stringValue ?? ""),
      token: request["token"]?.stringValue)
    configuration.compresses = request["compression"]?.boolValue ?? false
    configuration.waitsForReady = request["wait_for_ready"]?.boolValue ?? true
    configuration.checksHealth = request["health"]?.boolValue ?? false
    if request["balancing"]?.stringValue == "round_robin" { configuration.balancing = .roundRobin }
    if let count = request["connections"]?.integerValue {
      configuration.connectionsPerAddress = Int(count)
    }
    if let time = request["keepalive_ms"]?.integerValue {
      configuration.keepalive = .milliseconds(time)
    }
    if let count = request["message_max"]?.integerValue {
      configuration.messageByteCountMax = Int(count)
    }
    do throws(RPCError) {
      let client = try HitoClient(configuration)
      state.withLock { $0.clients[request["client"]?.stringValue ?? ""] = client }
      return [("status", .integer(0))]
    } catch {
      return failure(error)
    }
  }

  private func call(_ request: JSONValue, _ id: Int64) {
    guard let client = state.withLock({ $0.clients[request["client"]?.stringValue ?? ""] }) else {
      return answer(id, [("error", .string("no such client"))])
    }
    let (resumed, resume) = AsyncStream<Void>.makeStream()
    let call = Call(request, client: client, resumed: resumed)
    // Under the lock: the task ends after it is there.
    state.withLock { state in
      let task = Task {
        let reply = await call.run()
        self.state.withLock { $0.calls[id] = nil }
        self.answer(id, reply)
      }
      state.calls[id] = Running(task: task, resume: resume)
    }
  }

  private func answer(_ id: Int64, _ reply: Reply) {
    let line = JSONValue.object([("id", .integer(id))] + reply).text + "\n"
    output.withLock { _ in
      var rest = Array(line.utf8)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}

/// The members of an answer beside its id.
typealias Reply = [(key: String, value: JSONValue)]

func failure(_ error: RPCError) -> Reply {
  [
    ("status", .integer(Int64(error.code.rawValue))), ("text", .string(error.message)),
    ("details", .string(hex(error.details))), ("cursor", .string(error.resumeCursor ?? "")),
    ("not_started", .bool(error.isNotStarted)),
  ]
}

func hex(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(bytes.count * 2)
  for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
  return String(decoding: text, as: UTF8.self)
}

func bytes(hex text: String) -> [UInt8] {
  func digit(_ character: UInt8) -> UInt8 { character < 58 ? character - 48 : character - 87 }
  let digits = Array(text.utf8)
  return stride(from: 0, to: digits.count - 1, by: 2).map { place in
    digit(digits[place]) << 4 | digit(digits[place + 1])
  }
}
