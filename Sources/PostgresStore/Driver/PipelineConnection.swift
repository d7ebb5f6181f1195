import CLibPQ

/// Owns one libpq connection.
///
/// `@unchecked Sendable`: a connection is used by one thread at a time. The connector thread makes
/// it and gives it away through the poll thread's mailbox (a mutex orders the two), keeping nothing;
/// from then on only the poll thread uses it.
final class PQConnection: @unchecked Sendable {
  let pointer: OpaquePointer

  init(taking pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQfinish(pointer) }

  /// The last error, on one line.
  var errorText: String {
    var text = String(cString: PQerrorMessage(pointer))
    while text.last?.isNewline == true { text.removeLast() }
    return String(text.map { $0.isNewline ? " " : $0 })
  }
}

/// What a unit came to: the rows of each of its calls, or the first error.
typealias UnitResult = Result<[ResultSet], ServerError>

/// A connection in pipeline mode: sends units, and gathers what the server answers, in order.
/// Confined to the poll thread.
final class PipelineConnection {
  private struct InFlight {
    /// Statement names of what is to be answered: first the prepares, then the calls.
    var names: [String]
    var prepareCount: Int
    var nextAnswer = 0
    var results: [ResultSet] = []
    var error: ServerError?
  }

  private let connection: PQConnection
  let generation: UInt64
  let descriptor: Int32
  private var prepared: Set<String> = []
  private var inFlight = FIFO<InFlight>()
  private var current: InFlight?
  /// Whether output is left that waits for the socket.
  private(set) var wantsWrite = false
  /// Channels of notifications that came in since the owner last looked.
  private(set) var notifiedChannels: Set<String> = []

  init(_ connection: PQConnection, generation: UInt64) {
    self.connection = connection
    self.generation = generation
    descriptor = PQsocket(connection.pointer)
  }

  var errorText: String { connection.errorText }

  /// Queues a unit and its sync, and sends what the socket takes; false where the connection broke.
  func send(_ unit: StatementUnit) -> Bool {
    var entry = InFlight(names: [], prepareCount: 0)
    for call in unit.calls where prepared.insert(call.statement.name).inserted {
      guard prepare(call.statement) else { return false }
      entry.names.append(call.statement.name)
      entry.prepareCount += 1
    }
    for call in unit.calls {
      guard execute(call) else { return false }
      entry.names.append(call.statement.name)
    }
    guard PQpipelineSync(connection.pointer) == 1 else { return false }
    inFlight.append(entry)
    return flush()
  }

  func flush() -> Bool {
    let status = PQflush(connection.pointer)
    wantsWrite = status == 1
    return status >= 0
  }

  private func prepare(_ statement: Statement) -> Bool {
    statement.parameters.map(\.rawValue).withUnsafeBufferPointer { types in
      PQsendPrepare(
        connection.pointer, statement.name, statement.text, Int32(types.count), types.baseAddress)
    } == 1
  }

  private func execute(_ call: StatementCall) -> Bool {
    let lengths = call.parameters.lengths
    let count = lengths.count
    return call.parameters.bytes.withUnsafeBytes { bytes in
      withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
          var offset = 0
          // An empty value needs a pointer too: a null one means NULL.
          let base = bytes.baseAddress ?? UnsafeRawPointer(connection.pointer)
          for index in 0..<count {
            let isNull = lengths[index] < 0
            values[index] =
              isNull ? nil : (base + offset).assumingMemoryBound(to: CChar.self)
            formats[index] = 1
            offset += isNull ? 0 : Int(lengths[index])
          }
          return lengths.withUnsafeBufferPointer { lengths in
            PQsendQueryPrepared(
              connection.pointer, call.statement.name, Int32(count), values.baseAddress,
              lengths.baseAddress, formats.baseAddress, 1)
          }
        }
      }
    } == 1
  }

  /// Reads what has arrived and gives each finished unit to `finish`; false where the connection
  /// broke or the server said what it may not.
  func receive(_ finish: (UnitResult) -> Void) -> Bool {
    guard PQconsumeInput(connection.pointer) == 1 else { return false }
    if wantsWrite, !flush() { return false }
    var separatorCount = 0
    while current != nil || !inFlight.isEmpty, PQisBusy(connection.pointer) == 0 {
      if current == nil { current = inFlight.popFirst() }
      guard let result = PQgetResult(connection.pointer) else {
        // One null ends each statement's results; two in a row mean that we and libpq disagree.
        separatorCount += 1
        if separatorCount > 1 { return PQstatus(connection.pointer) == CONNECTION_OK }
        continue
      }
      separatorCount = 0
      guard accept(result, finish) else { return false }
    }
    collectNotifications()
    return PQstatus(connection.pointer) == CONNECTION_OK
  }

  /// Takes over `result`; false where the connection is of no use any more.
  private func accept(_ result: OpaquePointer, _ finish: (UnitResult) -> Void) -> Bool {
    guard let index = current?.nextAnswer else {
      PQclear(result)
      return false
    }
    let isPrepare = index < current?.prepareCount ?? 0
    let name = current.flatMap { index < $0.names.count ? $0.names[index] : nil }
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK:
      if isPrepare { PQclear(result) } else { current?.results.append(ResultSet(taking: result)) }
    case PGRES_PIPELINE_ABORTED:
      if isPrepare, let name { prepared.remove(name) }
      PQclear(result)
    case PGRES_FATAL_ERROR:
      let error = ServerError(borrowing: result, statement: name)
      PQclear(result)
      // The server may have committed before it said good-bye: a loss, not an answer.
      if error.endsConnection { return false }
      if isPrepare, let name { prepared.remove(name) }
      if current?.error == nil { current?.error = error }
    case PGRES_PIPELINE_SYNC:
      PQclear(result)
      guard let entry = current else { return false }
      current = nil
      if let error = entry.error {
        finish(.failure(error))
        return !error.wantsNewSession
      }
      finish(.success(entry.results))
      return true
    default:
      PQclear(result)
      return false
    }
    current?.nextAnswer += 1
    return true
  }

  private func collectNotifications() {
    while let notification = PQnotifies(connection.pointer) {
      notifiedChannels.insert(String(cString: notification.pointee.relname))
      PQfreemem(notification)
    }
  }

  func takeNotifiedChannels() -> Set<String> {
    defer { notifiedChannels = [] }
    return notifiedChannels
  }

  /// What another thread needs to cancel the statement that runs here.
  func makeCancellation() -> Cancellation? {
    PQgetCancel(connection.pointer).map(Cancellation.init(taking:))
  }
}

/// The right to cancel what runs on one connection.
///
/// `@unchecked Sendable`: libpq allows `PQcancel` from any thread, it reads only this copy of the
/// address and key, and the object is handed to one thread.
final class Cancellation: @unchecked Sendable {
  private let pointer: OpaquePointer

  init(taking pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQfreeCancel(pointer) }

  /// Asks the server, and waits until it has passed the request on. Blocks.
  func send() {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text in
      // A failure is nothing to act on: the statement's own timeout ends it.
      _ = PQcancel(pointer, text.baseAddress, 256)
    }
  }
}
