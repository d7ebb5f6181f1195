import Contract
import Logging
import OpenSSL
import RPC
import Transport

/// `StreamServer PORT CERTIFICATE KEY MESSAGES`: Hito's transport with a `HealthService` that answers Watch with so many
/// small messages from memory. No method of the product does that without a database; what the peers of
/// `make bench-rpc` do is the same.
@main struct StreamServer {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let port = Int(arguments[1]), let count = Int(arguments[4]) else {
      fatalError("StreamServer PORT CERTIFICATE KEY MESSAGES")
    }
    var router = Router()
    try Health(messageCount: count).register(in: &router)
    let server = HitoServer(
      configuration: ServerConfiguration(port: port),
      tls: try .server(certificateFile: arguments[2], keyFile: arguments[3]), router: router,
      authenticator: AnyToken(), logger: Logger(label: "stream"))
    _ = try await server.start()
    while true { try await Task.sleep(for: .seconds(3600)) }
  }
}

struct AnyToken: Authenticator {
  func authenticate(token: String) async throws(RPCError) -> Principal {
    Principal(userID: "bench", role: .learner, tokenID: "bench")
  }
}

struct Health: HealthServiceHandler {
  let messageCount: Int

  func check(
    _ request: HealthCheckRequest, _ context: CallContext
  ) async throws -> HealthCheckResponse {
    HealthCheckResponse(status: .serving)
  }

  func watch(
    _ request: HealthWatchRequest, _ context: CallContext,
    _ responses: ResponseWriter<HealthCheckResponse>
  ) async throws {
    for _ in 0..<messageCount {
      try await responses.write(
        HealthCheckResponse(status: .serving, message: "what a small message says"))
    }
  }
}
