import Glibc
import HitoClient

/// Runs the code of the README and what it promises against a server, whose whereabouts are in the environment.
@main
struct Example {
  static func main() async {
    let at = Surroundings(
      address: variable("HITO_ADDRESS"), authority: variable("HITO_CA"),
      token: variable("HITO_TOKEN"))
    let scenarios: [(String, () async throws -> Bool)] = [
      ("call, stream and errors", { try await journey(at) }),
      ("a provider of tokens", { try await tokens(at) }),
      ("a certificate that is not trusted", { await strangers(at) }),
    ]
    var failedCount = 0
    for (name, scenario) in scenarios {
      var failure = ""
      do {
        if try await !scenario() { failure = "not as it should be" }
      } catch {
        failure = "\(error)"
      }
      if !failure.isEmpty { failedCount += 1 }
      print(failure.isEmpty ? "ok \(name)" : "not ok \(name): \(failure)")
    }
    print("# \(scenarios.count) scenarios: \(scenarios.count - failedCount) passed")
    exit(failedCount == 0 ? 0 : 1)
  }

  static func journey(_ at: Surroundings) async throws -> Bool {
    let client = try await connected(at)
    defer { client.close() }
    let progress = try await called(client)
    var types = try await watched(client)
    // The log follows the writes.
    for _ in 0..<20 where types.isEmpty {
      try await _Concurrency.Task.sleep(for: .milliseconds(100))
      types = try await watched(client)
    }
    let reason = try await failed(client)
    print("events:", types, "reason:", reason.map { "\($0)" } ?? "none")
    return progress == 50 && types.contains("goal.created") && types.contains("task.completed")
      && reason == .invalidField
  }

  /// The first token of the provider is none that the server knows; the call is repeated under the second.
  static func tokens(_ at: Surroundings) async throws -> Bool {
    let given = Given(["hito_nobody", at.token])
    let client = try renewing(at) { await given.next() }
    defer { client.close() }
    let listed = try await client.goals.listGoals(ListGoalsRequest())
    let left = await given.left
    return !listed.goals.isEmpty && left == 0
  }

  static func strangers(_ at: Surroundings) async -> Bool {
    let unknown = HitoClientTLS.system
    let elsewhere = HitoClientTLS(authorityFile: at.authority, serverName: "elsewhere.example")
    for tls in [unknown, elsewhere] {
      do throws(RPCError) {
        try await HitoClient.connect(address: at.address, tls: tls, token: at.token).close()
        return false
      } catch {
        guard error.code == .unavailable, error.isNotStarted else { return false }
      }
    }
    return true
  }

  private static func variable(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
  }
}

/// Texts, one after the other.
actor Given {
  private var texts: [String]

  init(_ texts: [String]) { self.texts = texts }

  var left: Int { texts.count }

  func next() -> String { texts.isEmpty ? "" : texts.removeFirst() }
}
