/// One link of the chain over the log and the audit's entries.
///
/// It vouches for the events after the seal before up to `lastPosition`, and the entries up to `lastEntry`.
package struct LogSeal: Sendable, Hashable {
  /// From 1, without gaps.
  package var number: Int64
  package var lastPosition: Int64
  package var lastEntry: Int64
  /// When it was made, by the server's clock.
  package var madeAt: Timestamp
  /// SHA-256 over the digests of all rows, in order: events, then entries.
  package var rowsHash: [UInt8]
  /// The first bytes of each row's digest, in the same order: only to name the row that differs.
  package var marks: [UInt8]
  /// SHA-256 over all of the above and the hash of the seal before.
  package var hash: [UInt8]
  /// HMAC-SHA-256 of the hash with the operator's key; empty where there is none.
  package var signature: [UInt8]

  package init(
    number: Int64, lastPosition: Int64, lastEntry: Int64, madeAt: Timestamp, rowsHash: [UInt8],
    marks: [UInt8], hash: [UInt8], signature: [UInt8]
  ) {
    self.number = number
    self.lastPosition = lastPosition
    self.lastEntry = lastEntry
    self.madeAt = madeAt
    self.rowsHash = rowsHash
    self.marks = marks
    self.hash = hash
    self.signature = signature
  }
}
