internal import Contract
internal import Domain
internal import RPC
internal import Synchronization

/// Notes whose code a call shows as sources: citations name no author, and what a run keeps of them does not
/// either (`AgentContext.bounded`), so that whoever shows them has to ask.
final class ShownCode: Sendable {
  private let context: CallContext
  private let snapshots: any SnapshotRepository
  /// What was noted already: a stream shows its sources several times.
  private let noted = Mutex<Set<String>>([])

  init(_ context: CallContext, _ snapshots: any SnapshotRepository) {
    self.context = context
    self.snapshots = snapshots
  }

  /// A run shows what is its learner's, whoever asked for it.
  func show(runOf learnerID: EntityID) {
    let isNew = noted.withLock { $0.insert(learnerID.description).inserted }
    if isNew { context.concerns(.user(learnerID.description)) }
  }

  /// Called before they are shown. Never fails: an audit that cannot tell whose it was says so, and ends no
  /// call.
  func show(_ citations: [Citation]) async {
    let code = citations.filter { $0.entityType == PassageKind.codeSnapshot.rawValue }
    let ids = noted.withLock { noted in
      code.map(\.entityId).filter { noted.insert($0).inserted }
    }
    guard !ids.isEmpty else { return }
    do throws(StoreError) {
      for id in try await snapshots.authors(of: ids.compactMap { EntityID($0) }) {
        context.concerns(.author(id.description))
      }
    } catch {
      context.concerns(.author(nil))
    }
  }
}

extension CallContext {
  /// Says whose code the call shows.
  func concerns(codeOf found: FoundSnapshot) {
    let author = found.snapshot.userID.description
    concerns(found.isExample ? .author(author) : .user(author))
  }
}
