import NIOCore
import NIOEmbedded
import RPC
import SeededRandom
import Wire

@testable import Transport

/// The network between one connection's two ends: bytes come in order, in other pieces than they were
/// sent, later, or never again.
final class SimulatedLink {
  private struct Piece {
    let due: Moment
    let bytes: [UInt8]
  }

  /// One direction.
  private struct Pipe {
    var pieces: [Piece] = []
    var lastDue: Moment
    var byteCount = 0

    mutating func takeDue(_ now: Moment) -> [UInt8]? {
      guard let first = pieces.first, first.due <= now else { return nil }
      byteCount -= first.bytes.count
      pieces.removeFirst()
      return first.bytes
    }
  }

  let client: EmbeddedClient
  let server: SimulatedServer
  let serverChannel: EmbeddedChannel
  let serverConnection: ServerConnection
  private let serverSocket: EmbeddedSocket
  private var toServer: Pipe
  private var toClient: Pipe
  /// Its own: what it delivers has others draw numbers as well.
  private var random: SeededGenerator
  private let latency: Duration
  private let pieceByteCountMax: Int
  /// Nothing arrives any more, and nobody is told.
  private(set) var isCut = false
  private var clientChecker = FrameChecker(.client)
  private var serverChecker = FrameChecker(.server)
  private static let socketByteCountMax = 64 << 10

  init?(_ client: EmbeddedClient, _ server: SimulatedServer, seed: UInt64) {
    self.client = client
    self.server = server
    random = SeededGenerator(state: seed)
    serverSocket = EmbeddedSocket()
    guard let accepted = server.embedded.accept(socket: serverSocket) else { return nil }
    (serverChannel, serverConnection) = accepted
    latency = .microseconds(Int.random(in: 10...20_000, using: &random))
    pieceByteCountMax = [1, 7, 100, 1500, 65536].randomElement(using: &random) ?? 1500
    toServer = Pipe(lastDue: client.loop.now)
    toClient = Pipe(lastDue: client.loop.now)
  }

  var isOver: Bool { !client.channel.isActive && !serverChannel.isActive }

  /// Whether bytes are on the way.
  var isBusy: Bool { !toServer.pieces.isEmpty || !toClient.pieces.isEmpty }

  func cut() {
    isCut = true
    drop()
  }

  private func drop() {
    toServer.pieces = []
    toServer.byteCount = 0
    toClient.pieces = []
    toClient.byteCount = 0
  }

  /// Everything on the way is late.
  func stall(for duration: Duration) {
    toServer.lastDue = max(toServer.lastDue, client.loop.now) + duration
    toClient.lastDue = max(toClient.lastDue, client.loop.now) + duration
  }

  /// The server's process is gone: what its kernel still does is a matter of luck.
  func serverWasKilled(isReset: Bool) {
    _ = serverChannel.takeOutput()
    close(serverChannel)
    _ = serverChannel.takeOutput()
    if isReset { drop() }
  }

  /// Takes what both ends say, and delivers what is due.
  func step() {
    collect()
    let now = client.loop.now
    while let bytes = toServer.takeDue(now) { serverChannel.receive(bytes) }
    while let bytes = toClient.takeDue(now) { client.channel.receive(bytes) }
    client.loop.run()
    collect()
    pushBack()
    closeEnds()
    if serverChannel.isActive { serverConnection.requireSound() }
    if client.channel.isActive { client.connection.requireSound() }
  }

  private func collect() {
    let fromClient = client.channel.takeOutput()
    _ = clientChecker.take(fromClient)
    send(fromClient, &toServer)
    guard server.isAlive else { return }
    let fromServer = serverChannel.takeOutput()
    _ = serverChecker.take(fromServer)
    send(fromServer, &toClient)
  }

  private func send(_ bytes: [UInt8], _ pipe: inout Pipe) {
    guard !isCut else { return }
    var rest = bytes[...]
    while !rest.isEmpty {
      // Large output is not cut into its bytes: that would only take long.
      let most = max(pieceByteCountMax, rest.count / 8)
      let piece = rest.prefix(Int.random(in: 1...most, using: &random))
      rest = rest.dropFirst(piece.count)
      let delay = latency * Double.random(in: 0.5...2, using: &random)
      pipe.lastDue = max(pipe.lastDue, client.loop.now + delay)
      pipe.pieces.append(Piece(due: pipe.lastDue, bytes: Array(piece)))
      pipe.byteCount += piece.count
    }
  }

  /// A socket takes so much and no more until some of it has arrived.
  private func pushBack() {
    let isWritable = toClient.byteCount < Self.socketByteCountMax
    guard serverChannel.isActive, serverChannel.isWritable != isWritable else { return }
    serverChannel.isWritable = isWritable
    serverChannel.pipeline.fireChannelWritabilityChanged()
    client.loop.run()
  }

  /// An end that has closed is heard of after all that it said, unless the network is cut.
  private func closeEnds() {
    guard !isCut else { return }
    let serverIsDone = !serverChannel.isActive || serverSocket.isOutputClosed
    if serverIsDone, toClient.pieces.isEmpty { close(client.channel) }
    if !client.channel.isActive, toServer.pieces.isEmpty { close(serverChannel) }
  }

  func closeBoth() {
    close(client.channel)
    close(serverChannel)
  }

  private func close(_ channel: EmbeddedChannel) {
    guard channel.isActive else { return }
    channel.close(promise: nil)
    client.loop.run()
  }

  /// When nothing is under way any more and the client has no call: the server has none, and all credit is
  /// where it began.
  func requireCreditIsBack() {
    guard !isCut, client.channel.isActive, serverChannel.isActive, !isBusy else { return }
    let (theirs, ours) = (serverConnection.machine, client.connection.machine)
    guard client.connection.calls.isEmpty else { return }
    require(
      serverConnection.calls.isEmpty,
      "the server works on \(serverConnection.calls.count) calls that their client has ended")
    require(theirs.receiveWindow.heldByteCount == 0, "the server holds credit for nothing")
    require(
      ours.sendWindow.available == theirs.receiveWindow.granted,
      "the client has \(ours.sendWindow.available), granted is \(theirs.receiveWindow.granted)")
    // What of ended calls was read goes back in steps.
    let unreturned = client.connection.freedByteCount.load(ordering: .relaxed)
    require(
      ours.receiveWindow.heldByteCount == unreturned,
      "the client holds \(ours.receiveWindow.heldByteCount), \(unreturned) are to be returned")
    require(
      theirs.sendWindow.available == ours.receiveWindow.granted,
      "the server has \(theirs.sendWindow.available), granted is \(ours.receiveWindow.granted)")
  }

  /// When both ends are closed.
  func requireNoCalls() {
    require(
      serverConnection.calls.isEmpty && client.connection.calls.isEmpty,
      "calls outlived their connection")
  }

  /// When both ends are closed and all handlers have returned.
  func requireGone() {
    serverConnection.requireGone()
    client.connection.requireGone()
  }

  func finish() {
    _ = try? client.channel.finish(acceptAlreadyClosed: true)
    _ = try? serverChannel.finish(acceptAlreadyClosed: true)
  }
}
