import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import Transport

@Suite struct AcceptGateTests {
  /// A gate for one connection in front of a socket that listens.
  private func withGate(_ body: (EmbeddedChannel) throws -> Void) throws {
    let listening = EmbeddedChannel()
    try listening.pipeline.syncOperations.addHandler(
      AcceptGate(connectionCountMax: 1, logger: testLogger()))
    try body(listening)
    _ = try listening.finish()
  }

  /// What the socket was told last: to accept, or not to.
  private func isAccepting(_ listening: EmbeddedChannel) -> Bool? {
    listening.options.compactMap { $0.value as? Bool }.last
  }

  @Test func `it pauses at the bound, also for sockets that are only being closed`() throws {
    try withGate { listening in
      let sockets = (0..<1 + AcceptGate.closingCountMax).map { _ in EmbeddedChannel() }
      for socket in sockets {
        #expect(isAccepting(listening) == nil)
        listening.pipeline.fireChannelRead(socket as any Channel)
      }
      #expect(isAccepting(listening) == false)
      for socket in sockets { _ = try socket.finish() }
      listening.embeddedEventLoop.run()
      #expect(isAccepting(listening) == true)
    }
  }

  @Test(arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
  func `it rests a moment where no descriptor is left`(number: Int32) throws {
    try withGate { listening in
      listening.pipeline.fireErrorCaught(IOError(errnoCode: number, reason: "accept"))
      #expect(isAccepting(listening) == false)
      listening.embeddedEventLoop.advanceTime(by: .seconds(1))
      #expect(isAccepting(listening) == true)
    }
  }

  @Test func `it passes other errors on`() throws {
    try withGate { listening in
      listening.pipeline.fireErrorCaught(IOError(errnoCode: ECONNABORTED, reason: "accept"))
      #expect(isAccepting(listening) == nil)
      #expect(throws: IOError.self) { try listening.throwIfErrorCaught() }
    }
  }
}
