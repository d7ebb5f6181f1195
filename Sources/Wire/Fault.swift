/// Why a connection ends (W11.2).
package enum GoAwayReason: UInt16, Sendable, Hashable, CaseIterable {
  case noError = 0
  case protocolError = 1
  case frameTooLarge = 2
  case flowControl = 3
  case helloTimeout = 4
  case abuse = 5
  case keepaliveTimeout = 6
  case `internal` = 7
  case idle = 8
  case maxAge = 9

  package init(wireValue: UInt16) {
    self = GoAwayReason(rawValue: wireValue) ?? .internal
  }

  /// Whether running calls may finish; otherwise the connection is closed at once.
  package var isDrain: Bool { self == .noError || self == .idle || self == .maxAge }
}

/// A connection error: the peer broke the protocol, and the connection must end (W11.6).
package struct WireFault: Error, Sendable, Hashable {
  package var reason: GoAwayReason
  /// For the peer's log. Never echoes the peer's bytes.
  package var text: String

  package init(_ reason: GoAwayReason, _ text: String) {
    self.reason = reason
    self.text = text
  }
}

/// A call error: one stream ends with a status, the connection continues.
package struct CallFault: Error, Sendable, Hashable {
  package var code: StatusCode
  package var text: String

  package init(_ code: StatusCode, _ text: String) {
    self.code = code
    self.text = text
  }
}

/// What is wrong with a piece of input, with its blast radius in the type.
package enum InputFault: Error, Sendable, Hashable {
  case call(CallFault)
  case connection(WireFault)
}
