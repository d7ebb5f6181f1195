import NIOCore
import RPC
import SeededRandom
import Wire

@testable import Transport

/// Clients, servers that share their data, and a network between them, all of it made of one seed: the same
/// seed, the same run. Calls of every kind are made while servers are killed and drained and the network
/// drops, delays and splits; then everything has to be right.
///
/// - Every call ends, once, and a call that is said not to have started never did.
/// - Credit is never negative, and when all is quiet none is missing.
/// - No stream and no handler outlives its connection.
/// - Every write that was acknowledged is there, once, however often it was sent.
/// - Where nothing goes wrong, every call succeeds: one seed of four has no faults, and all the time there is.
///
/// Dictionaries are in another order in each process unless SWIFT_DETERMINISTIC_HASHING is set, which
/// `hito-simulate` does for itself.
///
/// `@unchecked Sendable`: everything is used on one loop, by the one thread that runs it.
package final class Simulation: @unchecked Sendable {
  /// What one seed came to.
  package struct Report: Sendable, Hashable {
    package var callCount = 0
    package var failedCallCount = 0
    package var acknowledgedWriteCount = 0
    package var retryCount = 0
    package var killCount = 0
    package var drainCount = 0
    package var cutCount = 0
    package var time = Duration.zero
  }

  static let serverConfiguration: ServerConfiguration = {
    var configuration = ServerConfiguration()
    configuration.pingInterval = .milliseconds(100)
    configuration.keepaliveIdle = .seconds(2)
    configuration.keepaliveTimeout = .seconds(2)
    configuration.drainRoundTripMax = .milliseconds(200)
    configuration.streamStallMax = .seconds(5)
    return configuration
  }()

  let loop = EmbeddedLoop()
  let store = SimulatedStore()
  var random: SeededGenerator
  private(set) var servers: [SimulatedServer] = []
  private var pastServers: [SimulatedServer] = []
  private var links: [SimulatedLink] = []
  private var clients: [SimulatedClient] = []
  var report = Report()
  /// Operations that have not returned.
  var operationCount = 0
  /// What is left of the faults, and of the calls to make.
  private var faultsLeft: Int
  private var operationsLeft: Int
  /// Whether nothing goes wrong: then nothing may fail.
  let isCalm: Bool

  package static func run(seed: UInt64) -> Report {
    CrashNote.set("seed \(seed): hito-simulate --seed \(seed) runs it again")
    return Simulation(seed: seed).run()
  }

  private init(seed: UInt64) {
    random = SeededGenerator(state: seed)
    isCalm = Int.random(in: 0..<4, using: &random) == 0
    faultsLeft = isCalm ? 0 : Int.random(in: 0...8, using: &random)
    operationsLeft = Int.random(in: 10...60, using: &random)
    for _ in 0..<Int.random(in: 1...2, using: &random) { startServer() }
    for number in 0..<Int.random(in: 1...3, using: &random) {
      clients.append(SimulatedClient(self, number: number))
    }
  }

  // MARK: The run

  private func run() -> Report {
    let start = loop.now
    var idleTurnCount = 0
    while operationsLeft > 0 || operationCount > 0 {
      turn()
      let isOver = operationsLeft == 0 && faultsLeft == 0
      idleTurnCount = isOver ? idleTurnCount + 1 : 0
      require(idleTurnCount < 200_000, "\(operationCount) operations never end")
    }
    settle()
    for client in clients { client.requireDone() }
    for link in links { link.requireCreditIsBack() }
    end()
    report.time = loop.now - start
    return report
  }

  private func turn() {
    let isBusy = links.contains { $0.isBusy }
    loop.advance(by: .microseconds(Int.random(in: 1...(isBusy ? 2000 : 20_000), using: &random)))
    for link in links { link.step() }
    for link in links where link.isOver { link.requireNoCalls() }
    links.removeAll { link in
      guard link.isOver else { return false }
      finished.append(link)
      return true
    }
    if operationsLeft > 0, operationCount < 40, chance(4) {
      operationsLeft -= 1
      clients.randomElement(using: &random)?.startOperation()
    }
    if faultsLeft > 0, chance(60) {
      faultsLeft -= 1
      fault()
    }
    loop.run()
  }

  /// Closed links; kept to the end, since finishing one empties the loop.
  private var finished: [SimulatedLink] = []

  /// True once in so many times.
  func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

  func pause() -> Duration {
    .microseconds(
      chance(10)
        ? Int.random(in: 0...300_000, using: &random)
        : Int.random(in: 0...3000, using: &random))
  }

  /// Until nothing is on the way.
  private func settle() {
    for _ in 0..<2000 {
      loop.advance(by: .milliseconds(1))
      for link in links { link.step() }
      if !links.contains(where: { $0.isBusy }) { break }
    }
  }

  private func end() {
    links += finished
    for link in links { link.closeBoth() }
    // The longest that a handler sleeps beyond its cancellation.
    loop.advance(by: .seconds(2))
    for link in links { link.requireGone() }
    for server in servers + pastServers { server.embedded.requireEmpty() }
    for link in links { link.finish() }
  }

  // MARK: Servers and connections

  private func startServer() {
    var configuration = Self.serverConfiguration
    configuration.limits.concurrentCallCountMax = chance(3) ? 4 : 20
    if chance(3) {
      configuration.limits.streamCredit =
        [isCalm ? 2048 : 1000, 4096, 16384].randomElement(using: &random) ?? 0
      configuration.limits.connectionCredit = [3000, 16384].randomElement(using: &random) ?? 0
    }
    if isCalm {
      configuration.streamStallMax = .seconds(3600)
    } else if chance(5) {
      // So little that calls are refused for it.
      configuration.memory.callerByteCountMax = 200 << 10
      configuration.memory.strangerByteCountMax = 20 << 10
    }
    servers.append(SimulatedServer(loop, store, configuration) { [unowned self] in pause() })
  }

  /// A connection to one of the servers; nil where none is there.
  func connect(_ client: EmbeddedClient) -> Bool {
    let server = servers.filter { $0.takesConnections }.randomElement(using: &random)
    let seed = random.next()
    guard let server, let link = SimulatedLink(client, server, seed: seed) else { return false }
    links.append(link)
    return true
  }

  // MARK: Faults

  private func fault() {
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: killServer()
    case 2: drainServer()
    case 3: cutLink()
    default:
      let duration = Duration.milliseconds(Int.random(in: 1...3000, using: &random))
      links.randomElement(using: &random)?.stall(for: duration)
    }
  }

  private func replace(_ index: Int) {
    pastServers.append(servers.remove(at: index))
    let delay = Duration.milliseconds(Int.random(in: 0...500, using: &random))
    loop.loop.scheduleTask(in: .init(delay)) { [self] in startServer() }
  }

  private func killServer() {
    guard let index = servers.indices.randomElement(using: &random) else { return }
    report.killCount += 1
    let server = servers[index]
    server.kill()
    for link in links where link.server === server {
      if chance(3) { link.cut() }
      link.serverWasKilled(isReset: chance(2))
    }
    replace(index)
  }

  private func drainServer() {
    guard let index = servers.indices.randomElement(using: &random) else { return }
    report.drainCount += 1
    servers[index].drain(grace: pause() * 100)
    replace(index)
  }

  private func cutLink() {
    guard let link = links.randomElement(using: &random) else { return }
    report.cutCount += 1
    link.cut()
  }
}
