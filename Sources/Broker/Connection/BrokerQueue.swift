/// A durable, replicated queue.
package struct BrokerQueue: Sendable, Hashable {
  package var name: String
  /// The oldest messages leave beyond so many: the log has them.
  package var lengthMax: Int64
  /// Whether one of several consumers gets all messages, and the next one when it is gone.
  package var isForOne: Bool

  package init(name: String, lengthMax: Int64, isForOne: Bool) {
    self.name = name
    self.lengthMax = lengthMax
    self.isForOne = isForOne
  }
}
