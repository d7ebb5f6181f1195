import Console
import Contract
import DescriptorJSON
import OpenSSL
import RPC
import Transport

/// A connection to a server, and its contract.
struct ServerSession {
  static let descriptorMethod = ReflectionServiceMethods.getDescriptorSet

  let transport: HitoTransport

  init(_ settings: ClientSettings) throws {
    let tls: TLSContext
    do {
      tls = try TLSContext.client(authorityFile: settings.authorityFile.value)
    } catch {
      let file = settings.authorityFile.value ?? "the system's certificates"
      throw CommandFailure("cannot trust \(file): \(error)")
    }
    let address = settings.address.value
    var configuration = ClientConfiguration(
      host: address.host, port: address.port, tls: tls, token: settings.token.value)
    configuration.agent = "hito/\(HitoVersion.current)"
    transport = HitoTransport(configuration)
  }

  /// The contract as the server serves it: calls need no code of ours.
  func schema(options: CallOptions = CallOptions()) async throws -> Schema {
    let response: GetDescriptorSetResponse = try await transport.unary(
      Self.descriptorMethod, GetDescriptorSetRequest(), returning: GetDescriptorSetResponse.self,
      options: options)
    return try Schema(descriptorSet: response.descriptorSet)
  }

  /// The contract that this build was made with.
  static func ownSchema() throws -> Schema {
    try Schema(descriptorSet: ContractDescriptors.fileDescriptorSet)
  }
}

extension Schema {
  /// A message of the contract as JSON.
  func json(_ message: some WireMessage) throws -> JSONNode {
    let name = type(of: message).fullName
    guard let type = self.message(named: name) else {
      throw CommandFailure("the contract has no message \(name)")
    }
    return try decode(message.encodedBytes(), as: type)
  }
}

extension DescriptorJSON.Method {
  var descriptor: MethodDescriptor {
    let kind: MethodKind =
      switch (isClientStreaming, isServerStreaming) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): .clientStreaming
      case (true, true): .bidirectional
      }
    return MethodDescriptor(path: path, kind: kind, isReadOnly: isReadOnly)
  }
}
