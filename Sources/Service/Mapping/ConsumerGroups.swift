internal import Contract
internal import Domain
internal import EventLog

extension Domain.GroupStrategy {
  init(_ strategy: Contract.GroupStrategy) throws(DomainError) {
    switch strategy {
    case .unspecified, .roundRobin: self = .roundRobin
    case .pinned: self = .pinned
    default: throw .invalid("group.strategy", "is no strategy that this server knows")
    }
  }
}

extension GroupLimits {
  /// Parses the limits of a request: 0 means the usual one.
  init(_ message: Contract.ConsumerGroup) throws(DomainError) {
    self.init()
    attemptMax = try Self.number(
      message.maxAttempts, attemptMax, Self.attemptRange, "max_attempts")
    ackTimeout = try Self.time(
      message.ackTimeoutUs, ackTimeout, Self.ackTimeoutRange, "ack_timeout_us")
    retryDelay = try Self.time(
      message.retryDelayUs, retryDelay, Self.retryDelayRange, "retry_delay_us")
    retryDelayMax = try Self.time(
      message.retryDelayMaxUs, max(retryDelayMax, retryDelay), Self.retryDelayRange,
      "retry_delay_max_us")
    outstandingMax = try Self.number(
      message.outstandingMax, outstandingMax, Self.outstandingRange, "outstanding_max")
    parkedMax = try Self.number(message.parkedMax, parkedMax, Self.parkedRange, "parked_max")
    guard retryDelay <= retryDelayMax else {
      throw .invalid("group.retry_delay_max_us", "must not be less than retry_delay_us")
    }
  }

  private static func number(
    _ value: Int32, _ usual: Int32, _ range: ClosedRange<Int32>, _ field: String
  ) throws(DomainError) -> Int32 {
    if value == 0 { return usual }
    guard range.contains(value) else {
      throw .invalid("group.\(field)", "must be \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private static func time(
    _ micros: Int64, _ usual: Duration, _ range: ClosedRange<Duration>, _ field: String
  ) throws(DomainError) -> Duration {
    if micros == 0 { return usual }
    guard micros > 0, range.contains(.microseconds(micros)) else {
      throw .invalid("group.\(field)", "must be \(range.lowerBound) to \(range.upperBound)")
    }
    return .microseconds(micros)
  }
}

extension Contract.EventFilter {
  init(_ filter: Domain.EventFilter) {
    self.init(
      userIds: filter.userIDs.map(\.description), goalIds: filter.goalIDs.map(\.description),
      taskIds: filter.taskIDs.map(\.description), courseIds: filter.courseIDs.map(\.description),
      types: filter.types)
  }
}

extension Duration {
  /// In whole microseconds.
  var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}

extension Contract.ConsumerGroup {
  /// - Parameters:
  ///   - head: the last position of the log.
  ///   - isArchived: whether what it has to read next cannot be had here.
  init(
    _ status: GroupStatus, head: Int64, isArchived: Bool, settledCursor: String
  ) {
    let group = status.group
    let limits = group.limits
    let outstanding = status.waitingCount + status.heldCount
    let state: GroupState =
      if status.parkedCount >= Int64(limits.parkedMax) {
        .parkedFull
      } else if outstanding >= Int64(limits.outstandingMax) {
        .outstandingFull
      } else if isArchived {
        .eventsArchived
      } else if outstanding == 0, group.readPosition >= head {
        .caughtUp
      } else {
        .behind
      }
    self.init(
      name: group.name, filter: Contract.EventFilter(group.filter),
      strategy: group.strategy == .pinned ? .pinned : .roundRobin,
      maxAttempts: limits.attemptMax, ackTimeoutUs: limits.ackTimeout.wholeMicroseconds,
      settledCursor: settledCursor, parkedCount: status.parkedCount,
      consumerCount: Int32(clamping: status.consumerCount),
      retryDelayUs: limits.retryDelay.wholeMicroseconds,
      retryDelayMaxUs: limits.retryDelayMax.wholeMicroseconds,
      outstandingMax: limits.outstandingMax, parkedMax: limits.parkedMax, state: state,
      waitingCount: status.waitingCount, heldCount: status.heldCount,
      lag: max(0, head - group.readPosition), createdAt: Contract.Timestamp(group.createdAt),
      version: group.version)
  }
}
