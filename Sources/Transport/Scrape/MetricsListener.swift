package import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Serves metrics as text, on a port of its own: GET /metrics over HTTP/1.1 and nothing else, one request a
/// connection.
///
/// Peers are anybody. Connections, the head of a request, and the time for all of it are bounded; nothing of a
/// request's body is read.
package final class MetricsListener: Sendable {
  package struct Configuration: Sendable {
    package var host: String
    package var port: Int
    package var contentType: String
    package var connectionCountMax = 16
    /// From the accept to the last byte that the peer takes.
    package var timeMax = Duration.seconds(15)
    /// For the head of the request.
    package var headTimeMax = Duration.seconds(5)

    package init(host: String, port: Int, contentType: String) {
      self.host = host
      self.port = port
      self.contentType = contentType
    }
  }

  private let configuration: Configuration
  private let source: ScrapeSource
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let openCount = Mutex(0)
  private let logger: Logger

  /// - Parameter text: what there is to tell now; asked at most once at a time.
  package init(
    _ configuration: Configuration, logger: Logger, text: @escaping @Sendable () async -> String
  ) {
    self.configuration = configuration
    self.logger = logger
    source = ScrapeSource(text)
  }

  /// Listens until the task is cancelled.
  ///
  /// - Parameter listening: told the port.
  package func run(listening: @Sendable (Int) throws -> Void) async throws {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 64)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.initialize(channel) }
      }
    let channel: any Channel
    do {
      channel = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
    } catch {
      try? await group.shutdownGracefully()
      throw ListenError(host: configuration.host, port: configuration.port, cause: error)
    }
    let port = channel.localAddress?.port ?? configuration.port
    logger.info(
      "metrics", metadata: ["host": "\(configuration.host)", "port": "\(port)"])
    do {
      try listening(port)
      try await Task.sleep(for: .seconds(1_000_000_000))
    } catch {
      try? await channel.close()
      try? await group.shutdownGracefully()
      throw error
    }
  }

  private func initialize(_ channel: any Channel) throws {
    let isAdmitted = openCount.withLock { count in
      guard count < configuration.connectionCountMax else { return false }
      count += 1
      return true
    }
    guard isAdmitted else { throw ChannelError.eof }
    channel.closeFuture.whenComplete { _ in self.openCount.withLock { $0 -= 1 } }
    try channel.pipeline.syncOperations.addHandler(
      ScrapeHandler(source: source, configuration: configuration))
  }
}

/// What there is to tell: asked once, whoever many want it meanwhile.
private actor ScrapeSource {
  private let make: @Sendable () async -> String
  private var running: Task<String, Never>?

  init(_ make: @escaping @Sendable () async -> String) { self.make = make }

  func text() async -> String {
    if let running { return await running.value }
    let task = Task { [make] in await make() }
    running = task
    let text = await task.value
    running = nil
    return text
  }
}

/// One connection: reads a head, answers, closes.
private final class ScrapeHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let source: ScrapeSource
  private let configuration: MetricsListener.Configuration
  private var head = ScrapeHead()
  private var hasAnswered = false
  private var timers: [Scheduled<Void>] = []

  init(source: ScrapeSource, configuration: MetricsListener.Configuration) {
    self.source = source
    self.configuration = configuration
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    timers = [
      context.eventLoop.scheduleTask(in: TimeAmount(configuration.headTimeMax)) {
        if !bound.value.hasAnswered { channel.close(promise: nil) }
      },
      context.eventLoop.scheduleTask(in: TimeAmount(configuration.timeMax)) {
        channel.close(promise: nil)
      },
    ]
  }

  func channelInactive(context: ChannelHandlerContext) {
    for timer in timers { timer.cancel() }
    timers = []
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // What comes after the head is read and forgotten: a socket that is closed with something unread resets its
    // peer, which then may lose the answer.
    guard !hasAnswered else { return }
    switch head.received(unwrapInboundIn(data).readableBytesView) {
    case .readOn: break
    case .refuse(let refusal):
      hasAnswered = true
      let allow = refusal == .methodNotAllowed ? "Allow: GET\r\n" : ""
      ScrapeAnswer.send(
        on: context.channel, "\(refusal.rawValue) \(refusal.reason)", allow, "text/plain",
        "\(refusal.reason)\n")
    case .serve:
      hasAnswered = true
      let channel = context.channel
      Task { [source, type = configuration.contentType] in
        let text = await source.text()
        ScrapeAnswer.send(on: channel, "200 OK", "", type, text)
      }
    }
  }
}

/// Writes an answer, and closes. From any thread.
private enum ScrapeAnswer {
  static func send(
    on channel: any Channel, _ status: String, _ headers: String, _ contentType: String,
    _ body: String
  ) {
    let text =
      "HTTP/1.1 \(status)\r\n\(headers)Content-Type: \(contentType)\r\n"
      + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n"
      + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n" + body
    channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in
      channel.close(promise: nil)
    }
  }
}
