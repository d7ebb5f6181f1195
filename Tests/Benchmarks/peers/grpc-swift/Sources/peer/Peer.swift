import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import SwiftProtobuf

/// peer PORT CERTIFICATE KEY MESSAGES: the same calls as those of hito.v1.HealthService by grpc-swift-2, as its documentation
/// sets it up.
@main struct Peer {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5, let port = Int(arguments[1]), let count = Int(arguments[4]) else {
      fatalError("peer PORT CERTIFICATE KEY MESSAGES")
    }
    var configuration = HTTP2ServerTransport.Posix.Config.defaults
    configuration.http2.maxConcurrentStreams = 10_000
    let transport = HTTP2ServerTransport.Posix(
      address: .ipv4(host: "127.0.0.1", port: port),
      transportSecurity: .tls(
        certificateChain: [.file(path: arguments[2], format: .pem)],
        privateKey: .file(path: arguments[3], format: .pem)),
      config: configuration)
    try await GRPCServer(transport: transport, services: [Health(messageCount: count)]).serve()
  }
}

/// By hand, since the generator of its stubs is not a package that can be had everywhere.
struct Health: RegistrableRPCService {
  let messageCount: Int

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    router.registerHandler(
      forMethod: MethodDescriptor(fullyQualifiedService: "bench.Health", method: "Check"),
      deserializer: ProtobufDeserializer<Google_Protobuf_StringValue>(),
      serializer: ProtobufSerializer<Google_Protobuf_Int32Value>()
    ) { request, context in
      var isKnown = false
      for value in request.metadata[stringValues: "authorization"] where value.hasPrefix("Bearer ")
      {
        isKnown = true
      }
      guard isKnown else { throw RPCError(code: .unauthenticated, message: "no token") }
      for try await _ in request.messages {}
      return StreamingServerResponse { writer in
        // The same bytes: field 1, a number.
        try await writer.write(Google_Protobuf_Int32Value(1))
        return [:]
      }
    }
    router.registerHandler(
      forMethod: MethodDescriptor(fullyQualifiedService: "bench.Health", method: "Watch"),
      deserializer: ProtobufDeserializer<Google_Protobuf_StringValue>(),
      serializer: ProtobufSerializer<Google_Protobuf_EnumValue>()
    ) { request, context in
      for try await _ in request.messages {}
      return StreamingServerResponse { [messageCount] writer in
        for _ in 0..<messageCount {
          // The same size: a text of 25 bytes and a number.
          try await writer.write(
            .with {
              $0.name = "what a small message says"
              $0.number = 1
            })
        }
        return [:]
      }
    }
  }
}
