/// Whose data a call shows.
package enum CallSubject: Sendable, Hashable {
  case user(String)
  case everybody
  /// Something that a user shares, of which the caller is not told whose it is; nil where nobody can say.
  case author(String?)
}
