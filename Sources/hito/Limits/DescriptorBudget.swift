import Glibc

/// How the file descriptors of a server are shared out: a reserve with a name for each part that cannot
/// work without, and the rest for connections. A process that runs out of them cannot open its database,
/// nor its own timers, and dies.
struct DescriptorBudget: Hashable, CustomStringConvertible {
  /// What a part of the server needs at most.
  struct Part: Hashable {
    let name: String
    let count: Int
  }

  /// The limits of the system for a process.
  struct Limits: Hashable {
    var soft: Int
    var hard: Int
  }

  /// A server that could serve fewer is not started.
  static let connectionCountMin = 64
  /// The soft limit is not raised above it for its own sake.
  private static let raisedMax = 65_536

  let limits: Limits
  /// What the soft limit is to be.
  let softLimit: Int
  let reserve: [Part]
  private let reservedCount: Int
  /// So many connections there may be.
  let connectionCount: Int

  /// - Parameter connectionCount: as many as are wanted.
  init(limits: Limits, connectionCount wanted: Int, reserve: [Part]) throws(DescriptorShortage) {
    let reserved = reserve.reduce(0) { $0 + $1.count }
    self.limits = limits
    self.reserve = reserve
    reservedCount = reserved
    softLimit = max(limits.soft, min(limits.hard, max(Self.raisedMax, wanted + reserved)))
    connectionCount = min(wanted, softLimit - reserved)
    guard connectionCount >= Self.connectionCountMin else {
      throw DescriptorShortage(
        limit: softLimit, needed: reserved + Self.connectionCountMin, reserve: reserve)
    }
  }

  /// What `count` connections need.
  func neededCount(for count: Int) -> Int { reservedCount + count }

  var description: String {
    "limit \(softLimit) (soft \(limits.soft), hard \(limits.hard)), reserved \(reservedCount) "
      + "(\(Self.text(reserve))), connections \(connectionCount)"
  }

  static func text(_ reserve: [Part]) -> String {
    reserve.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
  }
}

// MARK: What a server needs

extension DescriptorBudget {
  static func reserve(
    threadCount: Int, databaseConnectionCount: Int, slotCount: Int
  ) -> [Part] {
    [
      // The pool; listening, locks, migrations and bulk work have connections of their own.
      Part(name: "database", count: databaseConnectionCount + 16),
      Part(name: "lake", count: 64),
      // Each loop has three: what it waits with, how it is woken, its timer.
      Part(name: "event loops", count: 3 * threadCount + 16),
      Part(name: "models", count: 32),
      // Of each place of the sandbox: pipes, folders and control groups of the job that runs, and of the
      // launcher that waits for the next one.
      Part(name: "sandbox", count: 32 * slotCount),
      // Sockets that are open beside the connections: just accepted, or just closed.
      Part(name: "accepting", count: 32),
      Part(name: "listening, logs and files", count: 16),
    ]
  }
}

// MARK: The system

private let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

private func systemLimit() throws(DescriptorLimitError) -> rlimit {
  var limit = rlimit()
  guard getrlimit(descriptors, &limit) == 0 else {
    throw DescriptorLimitError(action: "read", number: errno)
  }
  return limit
}

extension DescriptorBudget.Limits {
  static func current() throws(DescriptorLimitError) -> Self {
    let limit = try systemLimit()
    return Self(soft: Int(clamping: limit.rlim_cur), hard: Int(clamping: limit.rlim_max))
  }
}

extension DescriptorBudget {
  /// Makes `softLimit` the process's.
  func apply() throws(DescriptorLimitError) {
    guard softLimit > limits.soft else { return }
    var limit = try systemLimit()
    limit.rlim_cur = rlim_t(softLimit)
    guard setrlimit(descriptors, &limit) == 0 else {
      throw DescriptorLimitError(action: "raise", number: errno)
    }
  }
}

/// There are too few descriptors to serve anybody; the text says what to do.
struct DescriptorShortage: Error, Hashable, CustomStringConvertible {
  let limit: Int
  let needed: Int
  let reserve: [DescriptorBudget.Part]

  var description: String {
    """
    this process may have \(limit) file descriptors and needs at least \(needed): \
    \(DescriptorBudget.connectionCountMin) for connections, the rest for itself \
    (\(DescriptorBudget.text(reserve))). Raise the hard limit: `ulimit -n \(needed)` or more before \
    the start, LimitNOFILE in a unit of systemd, --ulimit nofile for a container
    """
  }
}

/// The limit of descriptors cannot be read or changed.
struct DescriptorLimitError: Error, CustomStringConvertible {
  let description: String

  init(action: String, number: Int32) {
    description =
      "cannot \(action) the limit of file descriptors: \(String(cString: strerror(number)))"
  }
}
