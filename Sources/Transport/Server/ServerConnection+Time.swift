internal import NIOCore
internal import RPC
internal import Wire

// One timer per connection, armed for the earliest of everything that is due. It is not moved when
// something becomes due later: it fires, finds nothing and is armed again.
extension ServerConnection {
  /// Arms the timer for the deadline and the token checks of a call that did not end at once.
  func armTimer(for call: ServerCall) {
    if let deadline = call.deadline { arm(at: deadline) }
    guard call.token != nil, authenticationDue == nil else { return }
    let due = now + core.configuration.authenticationTTL
    authenticationDue = due
    arm(at: due)
  }

  /// Arms the timer for what is due next.
  func rearmTimer() {
    if let wakeUp = machine.nextWakeUp { arm(at: wakeUp) }
    if let authenticationDue { arm(at: authenticationDue) }
    if let deadline = calls.values.lazy.compactMap(\.deadline).min() { arm(at: deadline) }
  }

  private func arm(at due: ContinuousClock.Instant) {
    if let timerDue, timerDue <= due { return }
    timer?.cancel()
    timerDue = due
    let delay = core.now().duration(to: due).components
    // Rounded up: a timer that fires early would only be armed again.
    let nanoseconds = max(0, delay.seconds * 1_000_000_000 + delay.attoseconds / 1_000_000_000) + 1
    timer = loop.scheduleTask(in: .nanoseconds(nanoseconds)) {
      self.timerFired()
      self.executor.tick()
    }
  }

  private func timerFired() {
    timer = nil
    timerDue = nil
    guard !isClosing else { return }
    now = core.now()
    perform(machine.timerFired(now: now))
    guard !isClosing else { return }
    endExpiredCalls()
    if let due = authenticationDue, due <= now { checkTokens() }
    if machine.isFinished { return finish() }
    rearmTimer()
  }

  private func endExpiredCalls() {
    for call in Array(calls.values) {
      guard let deadline = call.deadline, deadline <= now else { continue }
      end(call, RPCError(.deadlineExceeded, "the deadline has passed"))
    }
  }

  private func perform(_ action: ServerConnectionMachine.TimerAction) {
    switch action {
    case .nothing:
      break
    case .fail(let fault):
      fail(fault)
    case .ping(let opaque):
      out.appendPing(.ping, opaque: opaque)
      markDirty()
    case .announceDrain(let reason, let ping):
      let goAway = GoAway(lastStream: WireLimit.streamIDMax, reason: reason, text: "draining")
      out.appendFrame(.goAway, stream: 0, payload: goAway.payload)
      out.appendPing(.ping, opaque: ping)
      markDirty()
    case .finishDrain(let lastStream):
      finishDrain(lastStream: lastStream)
    case .endCalls:
      for call in Array(calls.values) { endForDrain(call) }
    }
  }

  // MARK: Drain

  /// Begins a drain. From any thread.
  func drain(grace: Duration) {
    loop.execute {
      guard !self.isClosing else { return }
      self.now = self.core.now()
      if self.machine.phase == .awaitingHello {
        self.finish()
      } else {
        self.perform(
          self.machine.drain(reason: .noError, grace: grace, now: self.now))
        self.rearmTimer()
      }
      self.executor.tick()
    }
  }

  /// The second GOAWAY: the calls up to `lastStream` may end, subscriptions end now.
  func finishDrain(lastStream: UInt32) {
    let goAway = GoAway(lastStream: lastStream, reason: .noError, text: "draining")
    out.appendFrame(.goAway, stream: 0, payload: goAway.payload)
    markDirty()
    // A stream without a deadline would not end by itself; its client resumes elsewhere.
    for call in Array(calls.values) where call.deadline == nil { endForDrain(call) }
    rearmTimer()
  }

  private func endForDrain(_ call: ServerCall) {
    end(call, RPCError(.unavailable, "the server is shutting down"))
  }

  /// Closes at once. From any thread.
  func abort() {
    loop.execute { self.context?.close(promise: nil) }
  }

  // MARK: Tokens of long calls

  /// Asks again about the tokens of calls that run for long (W13.2). Calls that were let in without a
  /// principal have nothing to lose.
  private func checkTokens() {
    authenticationDue = nil
    // Those whose first check still waits for the database have no principal yet: ask again later.
    guard calls.values.contains(where: { $0.token != nil }) else { return }
    let authenticated = calls.values.filter { $0.context?.principal != nil }
    let ttl = core.configuration.authenticationTTL
    authenticationDue = now + ttl
    for call in authenticated where call.receivedAt + ttl <= now {
      guard let token = call.token else { continue }
      Task.immediate(executorPreference: executor) {
        do throws(RPCError) {
          _ = try await self.core.authentication.authenticate(token: token)
        } catch {
          // Anything else means "cannot tell now": the next check will.
          if error.code == .unauthenticated { self.endUnauthenticated(call) }
        }
      }
    }
  }

  private func endUnauthenticated(_ call: ServerCall) {
    loop.execute {
      self.end(call, RPCError(.unauthenticated, "the token is no longer valid"))
      self.executor.tick()
    }
  }

  // MARK: Introspection

  /// What is going on here (nil when it is closing), and the counts so far. From any thread.
  func snapshot() async -> (ServerSnapshot.Connection?, CallCounters)? {
    let value = loop.submit { () -> (ServerSnapshot.Connection?, CallCounters) in
      guard !self.isClosing else { return (nil, self.counters) }
      let time = self.core.now()
      let calls = self.calls.values.map { call in
        ServerSnapshot.Call(
          stream: call.stream, path: call.route.method.path,
          userID: call.context?.principal?.userID, age: call.receivedAt.duration(to: time))
      }
      let connection = ServerSnapshot.Connection(
        id: self.id, remoteAddress: self.remoteAddress, agent: self.agent,
        age: self.acceptedAt.duration(to: time),
        isDraining: self.machine.phase != .open && self.machine.phase != .awaitingHello,
        byteCountIn: self.byteCountIn, byteCountOut: self.byteCountOut,
        calls: calls.sorted { $0.stream < $1.stream })
      return (connection, self.counters)
    }
    return try? await value.get()
  }
}
