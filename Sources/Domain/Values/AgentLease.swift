/// A server's right to drive a run. It is renewed while the server lives; where it is over, another
/// server may take the run over.
///
/// When it ends is the store's to say, by a clock that all servers share: theirs may differ.
package struct AgentLease: Sendable, Hashable {
  /// Names the server's process.
  package var owner: String
  /// For how long the store is to give it, from the moment at which it writes. A lease that was read
  /// has none to give: written again it is what it was.
  package var duration: Duration

  package init(owner: String, duration: Duration = .zero) {
    self.owner = owner
    self.duration = duration
  }
}
