/// Who may call a method, what a call costs, and how long it may take: declared beside the method in
/// the contract (hito/v1/options.proto), enforced where the method is registered.
public struct MethodRule: Sendable, Hashable {
  /// The least that a caller must be. Each may call what those before it may.
  public enum Callers: Int, Sendable, Hashable, CaseIterable {
    /// Everybody, also without a token.
    case anybody
    /// Every user.
    case users
    /// Instructors, services and admins.
    case instructors
    /// Services and admins.
    case services
    case admins
  }

  /// What a call costs the server: quotas and queues are kept by class.
  public enum Cost: String, Sendable, Hashable, CaseIterable {
    /// Answered from the server's memory: the database is not asked.
    case memory
    /// Reads or writes a few rows by their keys.
    case rows
    /// Reads a page, a history or a report: the work grows with what is stored.
    case scan
    /// Embeds a text and compares vectors.
    case search
    /// Drives a language model.
    case model
    /// Takes documents or code in, or a person's data out, in bulk.
    case bulk
    /// Lasts as long as the client wants, and costs with each message.
    case subscription
  }

  public let callers: Callers
  public let cost: Cost
  /// How long a call that names no timeout may take; nil for no limit.
  public let timeout: Duration?
  /// False for a method that is promised and answers UNIMPLEMENTED.
  public let isImplemented: Bool

  public init(callers: Callers, cost: Cost, timeout: Duration?, isImplemented: Bool = true) {
    self.callers = callers
    self.cost = cost
    self.timeout = timeout
    self.isImplemented = isImplemented
  }
}
