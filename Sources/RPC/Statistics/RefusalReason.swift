package import Wire

/// Why calls were not let in, or not served: the kinds that are counted.
package enum RefusalReason: String, Sendable, Hashable, CaseIterable {
  /// There is no such method. Its name is not kept: it is the peer's to choose.
  case unknownMethod = "unknown_method"
  case unauthenticated
  case permission
  /// The head of the call, or its request, could not be read.
  case malformed
  /// The deadline had passed before the call began.
  case expired
  case draining
  /// Too much at once: calls, streams, kept bytes, or a place in a queue.
  case limit
  /// The caller has used up what it may use.
  case quota

  /// The kind of an end; nil where it is none: then the call was served, well or not.
  package init?(_ status: StatusCode, details: [UInt8], isStarted: Bool) {
    switch status {
    case .unauthenticated: self = .unauthenticated
    case .permissionDenied: self = .permission
    case .resourceExhausted: self = details.starts(with: Self.quotaDetails) ? .quota : .limit
    case .unimplemented where !isStarted: self = .unknownMethod
    case .invalidArgument where !isStarted: self = .malformed
    case .deadlineExceeded where !isStarted: self = .expired
    case .unavailable where !isStarted: self = .draining
    default: return nil
    }
  }

  /// The place in a table of all of them.
  package var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// How an encoded `hito.v1.ErrorDetails` begins that says QUOTA. (`ContractTests` reads it.)
  package static let quotaDetails: [UInt8] = [0x08, 0x0E]
}
