/// Is told who was let in and who was refused. What it does must be quick: it is called on event loops, and
/// any number of times.
package protocol CallObserver: Sendable {
  /// - Parameter principal: nil where the caller could not be told.
  func refused(_ error: RPCError, method: String, principal: Principal?, peer: String)
  /// A connection, or a call with a token of its own, was found to be this caller's; again whenever that
  /// was looked at anew.
  func signedIn(_ principal: Principal, peer: String)
}
