import JSON

/// Why a reply ends, in whatever words a server has for it.
enum ChatFinish: Sendable, Hashable {
  /// It is whole.
  case end
  case cut
  case filtered
  /// The server gave up.
  case failed
  /// The model wants something else than to reply.
  case other

  private static let nameByteCountMax = 64
  private static let cuts: Set<String> = [
    "length", "max_tokens", "max_length", "max_new_tokens", "max_output_tokens", "model_length",
    "token_limit", "model_context_window_exceeded", "context_length_exceeded",
    "max_completion_tokens",
  ]
  private static let filters: Set<String> = [
    "content_filter", "content_filtered", "safety", "recitation", "prohibited_content", "blocklist",
    "spii", "refusal", "guardrail_intervened", "sensitive", "error_toxic",
  ]
  private static let failures: Set<String> = [
    "error", "abort", "aborted", "cancelled", "canceled", "failed", "timeout", "unavailable",
    "insufficient_system_resource", "incomplete", "network_error",
  ]
  private static let others: Set<String> = [
    "tool_calls", "tool_call", "tool_use", "function_call", "malformed_function_call", "pause_turn",
  ]

  /// Nil: the reply continues. What is no known name of anything else is the end: servers have many
  /// for it (`stop`, `eos_token`, `STOP`, `end_turn`), and what was asked for is checked anyhow.
  init?(_ json: JSONValue) {
    switch json {
    case .null, .bool(false): return nil
    case .string(let text):
      guard text.utf8.count <= Self.nameByteCountMax else {
        self = .end
        return
      }
      var name = text.lowercased()
      for prefix in ["finish_reason_", "finishreason."] where name.hasPrefix(prefix) {
        name.removeFirst(prefix.count)
      }
      if ["", "null", "none", "unspecified"].contains(name) { return nil }
      if Self.cuts.contains(name) {
        self = .cut
      } else if Self.filters.contains(name) {
        self = .filtered
      } else if Self.failures.contains(name) {
        self = .failed
      } else {
        self = Self.others.contains(name) ? .other : .end
      }
    case .bool, .number, .array, .object: self = .end
    }
  }
}
