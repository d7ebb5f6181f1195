/// What a call under way waits for, or does.
package enum CallStage: Sendable, Hashable {
  /// Its caller is looked up.
  case awaitingCaller
  /// Its request is not complete.
  case awaitingRequest
  /// Others of its class come first.
  case awaitingTurn
  case running
  /// Its client grants no credit, or takes nothing.
  case awaitingCredit
}
