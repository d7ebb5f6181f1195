import Contract
import Domain
import RPC
import Service
import Synchronization
import Testing

@Suite struct `The deadline of a call` {
  private final class Seen: Sendable {
    private let deadlines = Mutex<[ContinuousClock.Instant?]>([])
    func note() { deadlines.withLock { $0.append(CallDeadline.current) } }
    var all: [ContinuousClock.Instant?] { deadlines.withLock { $0 } }
  }

  @Test func `reaches the stores, except from methods that ask none`() async throws {
    let seen = Seen()
    let fixture = ServiceFixture(
      inspection: ServerInspection(
        connections: {
          seen.note()
          return []
        },
        pipelines: {
          seen.note()
          return []
        }))
    let admin = fixture.user(.admin)
    let deadline = ContinuousClock.now + .seconds(7)
    let _: GetPipelinesResponse = try await fixture.call(
      ServerServiceMethods.getPipelines, GetPipelinesRequest(), as: admin, deadline: deadline)
    let _: ListConnectionsResponse = try await fixture.call(
      ServerServiceMethods.listConnections, ListConnectionsRequest(), as: admin,
      deadline: deadline)
    #expect(seen.all == [deadline, nil])
  }

  @Test func `that passes in a read is not said to have written anything`() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let made = try await fixture.createGoal(as: ada)
    fixture.store.fail(.read, .timedOut(maybeCommitted: false))
    let error = await failure { try await fixture.getGoal(made.goal?.id, as: ada) }
    #expect(error.code == .deadlineExceeded)
    #expect(!error.message.contains("may have been committed"))
  }
}
