import DescriptorJSON
import HitoClient
import JSON

/// How the commands that call a server reach it.
struct ServerAccess: Sendable {
  /// The word for the system's authorities, in the place of a file.
  private static let system = "system"

  let addresses: [HitoAddress]
  let addressSource: SettingSource
  /// PEM file of the authority to trust; nil means the system's.
  let authorityFile: String?
  let token: String?
  let tokenSource: SettingSource

  /// - Parameter settings: checked ones, with the groups `PlaceSettings` and `ClientSettings`.
  init(
    _ settings: Settings, surroundings: SettingSurroundings = .ofProcess
  ) throws(SettingsError) {
    let client = ClientSettings()
    addresses = settings[client.address]
    addressSource = settings.source(of: client.address.declaration)
    token = settings[client.token]
    tokenSource = settings.source(of: client.token.declaration)
    let authority = settings[client.ca]
    if let authority, authority != Self.system, surroundings.contents(authority) == nil {
      let source = settings.source(of: client.ca.declaration)
      throw SettingsError(problems: ["\(authority) (ca, \(source)) cannot be read"])
    }
    authorityFile = authority == Self.system ? nil : authority
  }

  /// The addresses as people write them.
  var name: String { addresses.map(\.description).joined(separator: ",") }

  /// A client that connects with its first call.
  func client(compresses: Bool = false) throws -> HitoClient {
    let tls = HitoClientTLS(authorityFile: authorityFile)
    var configuration = HitoClientConfiguration(addresses: addresses, tls: tls, token: token)
    configuration.compresses = compresses
    configuration.agent = "hito/\(HitoVersion.current)"
    do {
      return try HitoClient(configuration)
    } catch {
      throw CommandFailure(
        "cannot trust \(authorityFile ?? "the system's certificates"): \(error.message)")
    }
  }
}

extension HitoClient {
  /// The contract as the server serves it: calls need no code of ours.
  func schema(options: CallOptions) async throws -> Schema {
    let response = try await reflection.getDescriptorSet(
      GetDescriptorSetRequest(), options: options)
    return try Schema(descriptorSet: response.descriptorSet)
  }
}

extension Schema {
  /// The contract that this build was made with.
  // Inlined into what awaits, it ends the optimizer of Swift 6.3 (a crash while splitting the coroutine).
  @inline(never) static func own() throws -> Schema {
    try Schema(descriptorSet: ContractDescriptors.fileDescriptorSet)
  }

  /// A message of the contract as JSON.
  @inline(never) func json(_ message: some WireMessage) throws -> JSONValue {
    let name = type(of: message).fullName
    guard let type = self.message(named: name) else {
      throw CommandFailure("the contract has no message \(name)")
    }
    return try decode(message.encodedBytes(), as: type)
  }
}
