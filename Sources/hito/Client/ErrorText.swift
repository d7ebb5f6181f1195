import HitoClient
import RPC
import Transport

/// A failed call in words, with what to do about it.
enum ErrorText {
  /// Only what time or another server can mend is "unavailable"; what the caller has to change never is.
  static func exitStatus(of error: RPCError) -> Int32 {
    guard error.code == .unavailable, !isUntrusted(error) else { return ExitStatus.failure }
    let reason = (try? ErrorDetails.decode(error.details))?.reason
    return reason == .noModel ? ExitStatus.failure : ExitStatus.unavailable
  }

  private static func isUntrusted(_ error: RPCError) -> Bool {
    (error.cause as? NetworkFailure)?.isCertificateRefused ?? false
  }

  /// - Parameter access: how the server was to be reached, for errors that are about that.
  static func describe(_ error: RPCError, access: ServerAccess? = nil) -> String {
    let details = try? ErrorDetails.decode(error.details)
    var head = "\(error.code)"
    if let details, details.reason != .unspecified, let name = details.reason.protoName {
      head += " (\(name.dropPrefix("ERROR_REASON_")))"
    }
    if !error.message.isEmpty { head += ": \(TerminalText.clean(error.message))" }
    if let cause = error.cause.map(SystemText.of), !error.isFromServer, cause != error.message {
      head += " (\(TerminalText.clean(cause)))"
    }
    var lines = [head]
    if let details { lines += describe(details) }
    if let cursor = error.resumeCursor { lines.append("  to continue: cursor \(cursor)") }
    if let hint = hint(for: error, access) { lines.append("hint: \(hint)") }
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
      lines.append("  lagging: \(TerminalText.clean(details.laggingPart))")
    }
    if details.retryDelayUs > 0 {
      let delay = Duration.microseconds(details.retryDelayUs)
      lines.append("  try again in \(DurationText.text(delay))")
    }
    return lines
  }

  /// What a person at a terminal can do (errors.proto has the catalogue for programs).
  private static func hint(for error: RPCError, _ access: ServerAccess?) -> String? {
    switch error.code {
    case .unavailable where isUntrusted(error):
      let authority = access?.authorityFile ?? "the system's authorities"
      return
        "something answers there, but \(authority) did not sign its certificate for that name: give "
        + "the PEM file of its authority with --ca (tls/ca.pem in the server's data directory)"
    case .unavailable where !error.isFromServer:
      guard let access else { return "is the server running? start it with `hito serve`" }
      return "is the server running at \(access.name) (\(access.addressSource))? "
        + "Start it with `hito serve`, or name another with --address; `hito doctor` looks closer"
    case .unauthenticated:
      guard let access, access.token == nil else {
        return "make a new token with `hito token create`, and give it by --token or HITO_TOKEN"
      }
      return "no token was given: make one with `hito token create` on the server's machine, "
        + "and give it by --token or HITO_TOKEN"
    case .permissionDenied where error.message == RPCError.outsideScopes:
      return
        "the role is not what is missing: this token is limited to other methods. Use one that is "
        + "not, or name the method, its service or `read` with `hito token create --scope`"
    case .permissionDenied: return "use the token of a role that may do this"
    case .aborted: return "read it again and decide again: another change came first"
    case .deadlineExceeded: return "give it more time with --timeout"
    case .outOfRange where error.resumeCursor != nil:
      return "read on from that cursor, and put right what came of events after it"
    case .outOfRange:
      return "take a cursor from an answer of this server; `hito watch --from beginning` needs none"
    case .unimplemented:
      return "this server does not have the method yet; "
        + "`hito call --list` says what it has"
    default: return nil
    }
  }
}

extension String {
  /// Without `prefix`, where it begins with it.
  func dropPrefix(_ prefix: String) -> Substring {
    hasPrefix(prefix) ? dropFirst(prefix.count) : self[...]
  }
}
