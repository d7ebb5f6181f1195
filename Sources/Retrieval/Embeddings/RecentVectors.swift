import Domain
import Synchronization

/// The vectors of the texts that learners wrote last: a goal that is made again, renamed and named back
/// or written for a second course is not embedded again (1.6 ms of CPU).
///
/// Each learner's own only: how quick an answer is tells nobody what another one has written.
final class RecentVectors: Sendable {
  /// 6 MiB where each vector has 1,536 numbers.
  static let countMax = 1024

  private struct Key: Hashable {
    var owner: EntityID
    var model: String
    /// SHA-256 of the text.
    var hash: [UInt8]
  }

  private struct State {
    var vectors: [Key: [Float]] = [:]
    /// In the order in which they came, as a ring.
    var order: [Key] = []
    var oldest = 0
  }

  private let state = Mutex(State())

  func vector(of hash: [UInt8], owner: EntityID, model: String) -> [Float]? {
    state.withLock { $0.vectors[Key(owner: owner, model: model, hash: hash)] }
  }

  func keep(_ vector: [Float], of hash: [UInt8], owner: EntityID, model: String) {
    let key = Key(owner: owner, model: model, hash: hash)
    state.withLock { state in
      guard state.vectors.updateValue(vector, forKey: key) == nil else { return }
      guard state.order.count == Self.countMax else { return state.order.append(key) }
      state.vectors[state.order[state.oldest]] = nil
      state.order[state.oldest] = key
      state.oldest = (state.oldest + 1) % Self.countMax
    }
  }
}
