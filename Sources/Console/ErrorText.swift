import Contract
package import RPC
import Wire

/// What `hito` ends with, for scripts.
package enum ExitStatus {
  /// The call failed, or anything else did.
  package static let failure: Int32 = 1
  /// The command line makes no sense (EX_USAGE).
  package static let usage: Int32 = 64
  /// No server, or not now (EX_UNAVAILABLE).
  package static let unavailable: Int32 = 69

  package static func of(_ error: RPCError) -> Int32 {
    error.code == .unavailable ? unavailable : failure
  }
}

/// A failed call in words, with what to do about it.
package enum ErrorText {
  /// - Parameter settings: how the server was to be reached, for errors that are about that.
  package static func describe(_ error: RPCError, settings: ClientSettings? = nil) -> String {
    let details = try? ErrorDetails.decode(error.details)
    var head = "\(error.code)"
    if let details, details.reason != .unspecified, let name = details.reason.protoName {
      head += " (\(name.dropPrefix("ERROR_REASON_")))"
    }
    if !error.message.isEmpty { head += ": \(TerminalText.clean(error.message))" }
    if let cause = error.cause, !error.isFromServer { head += " (\(cause))" }
    var lines = [head]
    if let details { lines += describe(details) }
    if let cursor = error.resumeCursor { lines.append("  to go on: cursor \(cursor)") }
    if let hint = hint(for: error, settings) { lines.append("hint: \(hint)") }
    return lines.joined(separator: "\n")
  }

  private static func describe(_ details: ErrorDetails) -> [String] {
    var lines = details.fieldViolations.prefix(50).map { violation in
      "  \(TerminalText.clean(violation.field)): \(TerminalText.clean(violation.description))"
    }
    if let resource = details.resource {
      var line = "  \(TerminalText.clean(resource.type)) \(TerminalText.clean(resource.id))"
      if resource.currentVersion > 0 { line += ", now at version \(resource.currentVersion)" }
      lines.append(line)
    }
    if let quota = details.quota {
      lines.append("  limit of \(TerminalText.clean(quota.subject)): \(quota.maximum)")
    }
    if !details.laggingPart.isEmpty {
      lines.append("  behind: \(TerminalText.clean(details.laggingPart))")
    }
    if details.retryDelayUs > 0 {
      let delay = Duration.microseconds(details.retryDelayUs)
      lines.append("  try again in \(DurationText.text(delay))")
    }
    return lines
  }

  /// What a person at a terminal can do (errors.proto has the catalogue for programs).
  private static func hint(for error: RPCError, _ settings: ClientSettings?) -> String? {
    switch error.code {
    case .unavailable where !error.isFromServer:
      guard let settings else { return "is the server running? start it with `hito serve`" }
      return "is the server running at \(settings.address.value) (\(settings.address.source))? "
        + "Start it with `hito serve`, or name another with --address; `hito doctor` looks closer"
    case .unauthenticated:
      guard let settings, settings.token.value == nil else {
        return "make a new token with `hito token create`, and give it by --token or HITO_TOKEN"
      }
      return "no token was given: make one with `hito token create` on the server's machine, "
        + "and give it by --token or HITO_TOKEN"
    case .permissionDenied: return "use the token of a role that may do this"
    case .aborted: return "read it again and decide again: somebody else was first"
    case .deadlineExceeded: return "give it more time with --timeout"
    case .outOfRange: return "start from a cursor that exists, or with --from beginning"
    case .unimplemented:
      return "this server does not have the method yet; "
        + "`hito call ReflectionService/ListMethods` says what it has"
    default: return nil
    }
  }
}

extension String {
  /// Without `prefix`, where it begins with it.
  package func dropPrefix(_ prefix: String) -> Substring {
    hasPrefix(prefix) ? dropFirst(prefix.count) : self[...]
  }
}
