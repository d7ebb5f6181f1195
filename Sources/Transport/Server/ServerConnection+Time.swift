internal import NIOCore
internal import RPC
internal import Wire

// One timer per connection, set for the earliest of everything that is due.
extension ServerConnection {
  /// Arms the timer for the deadline of a call that did not end at once.
  func armTimer(for call: ServerCall) {
    if let deadline = call.deadline { arm(at: deadline) }
    if let due = publicStreams[call.stream] { arm(at: due) }
  }

  /// Arms the timer for what is due next.
  func rearmTimer() {
    if let wakeUp = machine.nextWakeUp { arm(at: wakeUp) }
    if let due = publicStreams.values.min() { arm(at: due) }
    if let deadline = calls.values.lazy.compactMap(\.deadline).min() { arm(at: deadline) }
    if let due = stallDue { arm(at: due) }
  }

  func arm(at due: Moment) {
    guard timer.isLater(than: due) else { return }
    timer.set(for: due, now: core.now(), on: loop) {
      self.timerFired()
      self.executor.tick()
    }
  }

  private func timerFired() {
    timer.fired()
    guard !machine.isClosed else { return }
    now = core.now()
    perform(machine.timerFired(now: now))
    guard !machine.isClosed else { return }
    do throws(WireFault) {
      try endExpiredCalls()
    } catch {
      return fail(error)
    }
    endOldPublicStreams()
    endStalledCalls()
    settleBuffers()
    if machine.isFinished { return finish() }
    rearmTimer()
  }

  private func endExpiredCalls() throws(WireFault) {
    for call in Array(calls.values) {
      guard let deadline = call.deadline, deadline <= now else { continue }
      end(call, RPCError(.deadlineExceeded, "the deadline has passed"))
      try machine.callExpired(timeout: call.receivedAt.duration(to: deadline), now: now)
    }
  }

  /// Does what the machine decided by time, or for a frame that changes the connection's life.
  func perform(_ action: ServerConnectionMachine.Action) {
    switch action {
    case .nothing:
      break
    case .fail(let fault):
      fail(fault)
    case .ping(let opaque):
      out.appendPing(.ping, opaque: opaque)
      markDirty()
    case .announceDrain(let reason, let ping):
      sayDraining(lastStream: WireLimit.streamIDMax, reason)
      out.appendPing(.ping, opaque: ping)
    case .finishDrain(let lastStream):
      sayDraining(lastStream: lastStream, .noError)
      // They would not end by themselves; their clients resume elsewhere.
      for call in Array(calls.values) where call.route.rule.cost == .subscription {
        endForDrain(call)
      }
      rearmTimer()
    case .endCalls:
      for call in Array(calls.values) { endForDrain(call) }
    case .refuse(let goAway):
      out.appendFrame(.goAway, stream: 0, payload: goAway.payload)
      finish()
    case .close:
      finish(grace: Self.lingerTimeMin)
    }
  }

  // MARK: Drain

  /// Begins a drain. From any thread.
  func drain(grace: Duration) {
    loop.execute {
      guard !self.machine.isClosed else { return }
      self.now = self.core.now()
      self.perform(self.machine.drain(reason: .noError, grace: grace, now: self.now))
      self.rearmTimer()
      self.executor.tick()
    }
  }

  private func sayDraining(lastStream: UInt32, _ reason: GoAwayReason) {
    let goAway = GoAway(lastStream: lastStream, reason: reason, text: "draining")
    out.appendFrame(.goAway, stream: 0, payload: goAway.payload)
    markDirty()
  }

  private func endForDrain(_ call: ServerCall) {
    end(call, RPCError.draining())
  }

  /// Closes at once. From any thread.
  func abort() {
    loop.execute { self.context?.close(promise: nil) }
  }

  // MARK: Tokens

  /// A call of this connection made the server look up a token that stands for nobody (W13.4). From
  /// any thread; at the loop's next turn, because the call may be in the middle of being started.
  func tokenLookUpRefused() {
    loop.execute {
      guard !self.machine.isClosed else { return }
      do throws(WireFault) {
        try self.machine.tokenLookUpRefused(now: self.core.now())
      } catch {
        self.fail(error)
      }
      self.executor.tick()
    }
  }
}
