internal import Agents
internal import Contract
internal import Domain
internal import EventLog
internal import RPC
internal import Retrieval
internal import Writes

/// The one table from what our own layers throw to what a caller sees. The catalogue of errors.proto
/// says what a caller should do about each.
enum ErrorTable {
  static func rpcError(_ error: any Error) -> RPCError {
    switch error {
    case let error as RPCError: error
    case let error as DomainError: rpcError(error)
    case let error as StoreError: rpcError(error)
    case let error as AgentFailure: rpcError(error)
    case WriteError.keyConflict: RPCError.keyConflict()
    case WriteError.contention: RPCError.contention()
    case let error as QuotaExceeded: error.rpcError
    case let error as ServerOverloaded: error.rpcError
    case let error as GroupEnd: rpcError(error)
    case let error as JoinRefused: rpcError(error)
    case let error as SearchUnavailable: RPCError(.unavailable, error.text)
    default: RPCError(fromHandler: error)
    }
  }

  static func rpcError(_ error: DomainError) -> RPCError {
    switch error {
    case .invalid(let violations):
      let fields = violations.map {
        Contract.FieldViolation(field: $0.field, description: $0.description)
      }
      let first = violations.first.map { ": \($0.field) \($0.description)" } ?? ""
      let more = violations.count > 1 ? " (and \(violations.count - 1) more)" : ""
      return RPCError(
        .invalidArgument, "the request breaks a rule\(first)\(more)",
        details: .encoded(ErrorDetails(reason: .invalidField, fieldViolations: fields)))
    case .notFound(let type, let id):
      return RPCError(
        .notFound, "no such \(type.label)",
        details: .encoded(
          ErrorDetails(resource: ResourceInfo(type: type.rawValue, id: id.description))))
    case .forbidden(let text):
      return RPCError(.permissionDenied, text)
    case .stale(let type, let id, let expected, let actual):
      return RPCError(
        .aborted,
        "the \(type.label) is at version \(actual), not \(expected): read it again",
        details: .encoded(
          ErrorDetails(
            reason: .staleVersion,
            resource: ResourceInfo(
              type: type.rawValue, id: id.description, currentVersion: actual))))
    case .illegalTransition(let type, let id, let from, let action, let hint):
      return RPCError(
        .failedPrecondition, "cannot \(action): the \(type.label) is \(from); \(hint)",
        details: .encoded(
          ErrorDetails(
            reason: .illegalTransition,
            resource: ResourceInfo(type: type.rawValue, id: id.description))))
    case .alreadyExists(let type, let field):
      return RPCError(
        .alreadyExists, "there is a \(type.label) with this \(field) already",
        details: .encoded(ErrorDetails(resource: ResourceInfo(type: type.rawValue))))
    case .limitReached(let subject, let maximum):
      return RPCError(
        .resourceExhausted, "the limit is reached: at most \(maximum) \(subject)",
        details: .encoded(
          ErrorDetails(
            reason: .limitReached,
            quota: QuotaInfo(subject: subject, maximum: Int64(maximum)))))
    }
  }

  /// The texts are fixed: those of the stores quote SQL, paths and addresses.
  static func rpcError(_ error: StoreError) -> RPCError {
    switch error {
    case .unavailable(_, maybeCommitted: false):
      RPCError(
        .unavailable, "the database cannot be reached right now; nothing was written",
        details: .encoded(
          ErrorDetails(
            reason: .storeUnavailable, retryDelayUs: 100_000, writeOutcome: .notWritten))
      ).caused(by: error)
    case .unavailable(_, maybeCommitted: true):
      RPCError(
        .unavailable,
        "the database went away during the write, which may have been committed: "
          + "repeat it under the same idempotency key",
        details: .encoded(
          ErrorDetails(reason: .storeUnavailable, retryDelayUs: 100_000, writeOutcome: .unknown))
      ).caused(by: error)
    case .timedOut(maybeCommitted: false):
      RPCError(
        .deadlineExceeded, "the deadline passed in the database; nothing was written",
        details: .encoded(ErrorDetails(writeOutcome: .notWritten))
      ).caused(by: error)
    case .timedOut(maybeCommitted: true):
      RPCError(
        .deadlineExceeded,
        "the deadline passed in the database; a write may have been committed: "
          + "repeat it under the same idempotency key",
        details: .encoded(ErrorDetails(writeOutcome: .unknown))
      ).caused(by: error)
    case .cancelled:
      RPCError(.cancelled, "the call was cancelled").caused(by: error)
    case .duplicate:
      RPCError(.alreadyExists, "a value that must be unique is taken").caused(by: error)
    case .archived(let obstacle): RPCError.archived(obstacle).caused(by: error)
    case .corrupt:
      RPCError(.internal, "stored data is not what this server expects").caused(by: error)
    }
  }
}

extension [UInt8] {
  /// The details of an error as they travel.
  static func encoded(_ details: ErrorDetails) -> [UInt8] { details.encodedBytes() }
}

extension RPCError {
  static func badCursor(_ why: String) -> RPCError {
    RPCError(.outOfRange, "the cursor \(why)", details: .encoded(ErrorDetails(reason: .badCursor)))
  }

  /// One of a version whose cursors could be invented.
  static func unsealedCursor() -> RPCError {
    RPCError(
      .invalidArgument,
      "the cursor is of an older version of this server: start again, from the beginning or a time",
      details: .encoded(ErrorDetails(reason: .badCursor)))
  }

  /// The client has seen events, or a place behind them, that the log has lost since.
  static func logForked(resumeCursor: String) -> RPCError {
    RPCError(
      .outOfRange,
      "the log has lost what came before this place, and continued differently: events after the resume "
        + "cursor that were seen never happened; read on from there",
      details: .encoded(ErrorDetails(reason: .logForked)), resumeCursor: resumeCursor)
  }

  /// Events that are in the lake alone, which did not give them.
  static func archived(_ obstacle: ArchiveObstacle) -> RPCError {
    switch obstacle {
    case .notHere:
      RPCError(
        .failedPrecondition,
        "these events have left the database for the lake, which this server does not have: ask one that has "
          + "it, or begin at a later time",
        details: .encoded(ErrorDetails(reason: .eventsArchived)))
    case .damaged:
      RPCError(
        .failedPrecondition,
        "these events have left the database for the lake, where their file is damaged: an operator has to put "
          + "it back from a backup; what is after them can be read",
        details: .encoded(ErrorDetails(reason: .eventsArchived)))
    case .busy:
      RPCError(
        .unavailable,
        "these events have left the database for the lake, which cannot be read right now",
        details: .encoded(ErrorDetails(reason: .eventsArchived, retryDelayUs: 1_000_000)))
    }
  }

  /// A write that was acknowledged, and lost with its database.
  static func lostWrite(resumeCursor: String) -> RPCError {
    RPCError(
      .outOfRange,
      "the write of this receipt was lost when the database failed over or was restored: make it again",
      details: .encoded(ErrorDetails(reason: .logForked)), resumeCursor: resumeCursor)
  }

  static func tooManyWaits(maximum: Int) -> RPCError {
    RPCError(
      .resourceExhausted,
      "\(maximum) calls of this caller wait for what was written already; wait for those to end",
      details: .encoded(
        ErrorDetails(
          reason: .limitReached, retryDelayUs: 100_000,
          quota: QuotaInfo(subject: "waiting calls", maximum: Int64(maximum)))))
  }

  static func badPageToken() -> RPCError {
    RPCError(
      .invalidArgument, "the page token is not of this request",
      details: .encoded(ErrorDetails(reason: .badPageToken)))
  }

  static func keyConflict() -> RPCError {
    RPCError(
      .alreadyExists, "the idempotency key was used for another request",
      details: .encoded(ErrorDetails(reason: .keyConflict)))
  }

  static func contention() -> RPCError {
    RPCError(
      .aborted, "too many concurrent changes of the same thing; try again",
      details: .encoded(ErrorDetails(reason: .contention, retryDelayUs: 50_000)))
  }

  static func lagging(_ part: String) -> RPCError {
    RPCError(
      .deadlineExceeded, "gave up waiting for min_cursor: the \(part) is behind",
      details: .encoded(ErrorDetails(reason: .lagging, laggingPart: part)))
  }

  /// A live start that would have to pass over too much.
  static func logIsBehind() -> RPCError {
    RPCError(
      .unavailable, "the log is too far behind to start at its end right now",
      details: .encoded(ErrorDetails(retryDelayUs: 1_000_000, laggingPart: "log")))
  }

  /// The state of `type` does not allow the action; `text` says what to do first.
  static func precondition(_ text: String, _ type: EntityType, _ id: EntityID) -> RPCError {
    RPCError(
      .failedPrecondition, text,
      details: .encoded(
        ErrorDetails(
          reason: .illegalTransition,
          resource: ResourceInfo(type: type.rawValue, id: id.description))))
  }
}

extension EntityType {
  /// What people call it.
  var label: String {
    switch self {
    case .codeSnapshot: "code snapshot"
    case .agentRun: "run"
    case .taskTests: "tests"
    default: rawValue
    }
  }
}

extension DomainError {
  static func invalid(_ field: String, _ description: String) -> DomainError {
    .invalid([Domain.FieldViolation(field, description)])
  }
}
