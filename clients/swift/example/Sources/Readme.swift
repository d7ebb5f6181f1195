import HitoClient

// The code of ../../README.md, in its order; test.sh compares.

struct Surroundings {
  var address: String
  var authority: String
  var token: String
}

func connected(_ at: Surroundings) async throws -> HitoClient {
  let (address, authority, token) = (at.address, at.authority, at.token)
  // README: connect
  // Several addresses with commas between them; <data-dir>/tls/ca.pem of a development server.
  let client = try await HitoClient.connect(
    address: address, tls: .authority(file: authority), token: token)
  // README: end
  return client
}

func renewing(
  _ at: Surroundings, _ newToken: @escaping @Sendable () async throws -> String
) throws -> HitoClient {
  let (addresses, authority) = (HitoAddress.list(at.address) ?? [], at.authority)
  // README: configure
  var configuration = HitoClientConfiguration(
    addresses: addresses, tls: .authority(file: authority))
  configuration.tokenProvider = { ClientToken(try await newToken(), validFor: .seconds(3600)) }
  configuration.log = { record in
    if record.level != .debug { print("\(record.event.rawValue): \(record.text)") }
  }
  configuration.hedging = HedgingPolicy(delay: .milliseconds(50))
  let client = try HitoClient(configuration)
  // README: end
  return client
}

func called(_ client: HitoClient) async throws -> Double? {
  // README: call
  // A goal with its first tasks
  let made = try await client.goals.createGoal(
    CreateGoalRequest(
      title: "Aprender Swift", tasks: [NewTask(title: "Actores"), NewTask(title: "Macros")]))

  // Complete a task; the goal follows
  let done = try await client.tasks.completeTask(CompleteTaskRequest(taskId: made.tasks[0].id))
  print("progress:", done.goal?.progressPercentage ?? 0)  // 50.0

  // Read what was just written, on any replica, within two seconds
  let listed = try await client.goals.listGoals(
    ListGoalsRequest(minCursor: done.receipt?.cursor ?? ""),
    options: CallOptions(timeout: .seconds(2)))
  print("goals:", listed.goals.map(\.title))
  // README: end
  return done.goal?.progressPercentage
}

func watched(_ client: HitoClient) async throws -> [String] {
  var types: [String] = []
  // README: stream
  // Through broken connections and restarted servers, nothing lost and nothing twice
  events: for try await response in client.watch(WatchRequest(start: .fromBeginning(true))) {
    switch response.step {
    case .event(let event): types.append(event.type)
    case .mark, nil: break events  // the past is read
    }
  }
  // README: end
  return types
}

func failed(_ client: HitoClient) async throws -> ErrorReason? {
  var reason: ErrorReason?
  // README: errors
  do throws(RPCError) {
    _ = try await client.goals.getGoal(GetGoalRequest(goalId: "not a goal"))
  } catch {
    guard error.code == .invalidArgument else { throw error }
    let details = try ErrorDetails.decode(error.details)
    print(error.message, details.fieldViolations.map(\.field))
    reason = details.reason
  }
  // README: end
  return reason
}
