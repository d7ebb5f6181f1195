internal import Contract
internal import Domain

extension EntityID {
  /// Parses an id of a request; the violation names the field.
  init(parsing text: String, field: String) throws(DomainError) {
    guard let id = EntityID(text) else {
      throw .invalid(field, text.isEmpty ? "must not be empty" : "is not a valid UUID")
    }
    self = id
  }

  /// Nil for an empty text.
  static func optional(_ text: String, field: String) throws(DomainError) -> EntityID? {
    text.isEmpty ? nil : try EntityID(parsing: text, field: field)
  }
}

extension Contract.Timestamp {
  init(_ time: Domain.Timestamp) {
    let micros = time.microsecondsSinceEpoch
    let seconds = micros >= 0 ? micros / 1_000_000 : (micros - 999_999) / 1_000_000
    self.init(seconds: seconds, nanos: Int32(micros - seconds * 1_000_000) * 1000)
  }

  /// Nil for nil.
  init?(_ time: Domain.Timestamp?) {
    guard let time else { return nil }
    self.init(time)
  }
}

extension Domain.Timestamp {
  /// The last moment that the contract can say: 9999-12-31T23:59:59.999999Z.
  static let contractMax = Domain.Timestamp(
    microsecondsSinceEpoch: 253_402_300_800_000_000 - 1)
  /// The first one: 0001-01-01T00:00:00Z.
  static let contractMin = Domain.Timestamp(
    microsecondsSinceEpoch: -62_135_596_800_000_000)

  /// Parses a moment of a request, cut to whole microseconds.
  init(_ message: Contract.Timestamp, field: String) throws(DomainError) {
    guard (-62_135_596_800..<253_402_300_800).contains(message.seconds),
      (0..<1_000_000_000).contains(message.nanos)
    else { throw .invalid(field, "is not between the years 1 and 9999") }
    self.init(
      microsecondsSinceEpoch: message.seconds * 1_000_000 + Int64(message.nanos / 1000))
  }

  /// Nil for nil.
  static func optional(
    _ message: Contract.Timestamp?, field: String
  ) throws(DomainError) -> Domain.Timestamp? {
    guard let message else { return nil }
    return try Domain.Timestamp(message, field: field)
  }

  /// Parses microseconds since 1970 of a request.
  init(micros: Int64, field: String) throws(DomainError) {
    let time = Domain.Timestamp(microsecondsSinceEpoch: micros)
    guard time >= .contractMin, time <= .contractMax else {
      throw .invalid(field, "is not between the years 1 and 9999")
    }
    self = time
  }

  /// Nil for 0, which means an open bound.
  static func openBound(
    _ micros: Int64, field: String
  ) throws(DomainError) -> Domain.Timestamp? {
    micros == 0 ? nil : try Domain.Timestamp(micros: micros, field: field)
  }
}

/// The version that a request expects; 0 means whatever it is.
func expectedVersion(_ version: Int64) throws(DomainError) -> Int64? {
  guard version >= 0 else { throw .invalid("expected_version", "must not be negative") }
  return version == 0 ? nil : version
}

extension Contract.WorkStatus {
  init(_ status: Domain.WorkStatus) {
    self =
      switch status {
      case .pending: .pending
      case .inProgress: .inProgress
      case .completed: .completed
      case .archived: .archived
      // Deleted ones are shown to nobody; the reply of a deletion has no entity.
      case .deleted: .unspecified
      }
  }
}

extension Domain.WorkStatus {
  /// The statuses of a filter: none, or an unspecified one, means all but archived ones.
  static func filter(
    _ statuses: [Contract.WorkStatus], field: String
  ) throws(DomainError) -> [Domain.WorkStatus] {
    guard statuses.count <= 20 else { throw .invalid(field, "has more than 20 entries") }
    var wanted: Set<Domain.WorkStatus> = []
    for (index, status) in statuses.enumerated() {
      switch status {
      case .unspecified: wanted.formUnion([.pending, .inProgress, .completed])
      case .pending: wanted.insert(.pending)
      case .inProgress: wanted.insert(.inProgress)
      case .completed: wanted.insert(.completed)
      case .archived: wanted.insert(.archived)
      default: throw .invalid("\(field)[\(index)]", "is no status that this server knows")
      }
    }
    return Domain.WorkStatus.allCases.filter(wanted.contains)
  }
}

extension Contract.Role {
  init(_ role: Domain.Role) {
    self =
      switch role {
      case .learner: .learner
      case .instructor: .instructor
      case .service: .service
      case .admin: .admin
      }
  }
}

extension Domain.Role {
  /// Nil for an unspecified one.
  static func optional(
    _ role: Contract.Role, field: String
  ) throws(DomainError) -> Domain.Role? {
    switch role {
    case .unspecified: return nil
    case .learner: return .learner
    case .instructor: return .instructor
    case .service: return .service
    case .admin: return .admin
    default: throw .invalid(field, "is no role that this server knows")
    }
  }
}
