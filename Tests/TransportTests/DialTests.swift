import NIOCore
import NIOPosix
import RPC
import Synchronization
import Testing
import Wire

@testable import Transport

/// Names that stand for several addresses.
@Suite(.timeLimit(.minutes(5)))
struct DialTests {
  /// Knows one name, by an address of each family.
  private final class BothFamilies: Resolver, Sendable {
    private let loop: any EventLoop
    init(_ loop: any EventLoop) { self.loop = loop }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
      addresses("127.0.0.1", port)
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
      addresses("::1", port)
    }

    private func addresses(_ address: String, _ port: Int) -> EventLoopFuture<[SocketAddress]> {
      loop.makeCompletedFuture { [try SocketAddress(ipAddress: address, port: port)] }
    }

    func cancelQueries() {}
  }

  private func client(_ server: TestServer, port: Int? = nil) throws -> HitoTransport {
    try server.client { configuration in
      configuration.host = "localhost"
      if let port { configuration.port = port }
      configuration.resolver = { BothFamilies($0) }
    }
  }

  @Test(arguments: ["127.0.0.1", "::1"])
  func `a name whose other address refuses is reached by the one that answers`(
    _ host: String
  ) async throws {
    try await TestServer.with(configured { $0.host = host }) { server in
      let client = try client(server)
      defer { client.close() }
      for _ in 0..<20 { #expect(try await client.echo("hola") == "hola") }
      #expect(await server.server.snapshot().acceptedConnectionCount == 1)
    }
  }

  @Test func `a name none of whose addresses answers is unreachable, at once`() async throws {
    try await TestServer.with { server in
      let client = try client(server, port: 1)
      defer { client.close() }
      let error = await #expect(throws: RPCError.self) { try await client.connect() }
      #expect(error?.code == .unavailable && error?.isNotStarted == true)
      #expect(error?.message == "cannot connect to localhost:1")
    }
  }
}
