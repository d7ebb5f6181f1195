/// What is fuzzed. A raw value is the name of the target's corpus, `Tests/Fuzz/corpus/<name>`.
package enum FuzzTarget: String, Sendable, CaseIterable {
  /// The frame decoder of both sides: whole and in pieces.
  case frames
  /// The blocks of HELLO, CALL, END, HEAD and GOAWAY, and compressed messages.
  case blocks
  /// Guard and protobuf-c: every request type of the contract.
  case requests
  /// Guard and protobuf-c: the types of the tests, which have every kind of field.
  case guarded
  /// The server's machines, by events.
  case serverMachine = "server-machine"
  /// The client's machines, by events.
  case clientMachine = "client-machine"
  /// The server's connection handler, by frames, good and bad.
  case serverConnection = "server-connection"
  /// The client's connection handler, by frames, good and bad.
  case clientConnection = "client-connection"
  /// A server behind TLS, in memory.
  case tls
  case json
  case markdown
  case html
  case plain
  /// Cursors, page tokens and places in groups, invented and sealed.
  case cursors

  /// Runs one input. Returns where all holds that must hold; ends the process otherwise.
  package func run(_ bytes: [UInt8]) {
    switch self {
    case .frames: FrameEntry.run(bytes)
    case .blocks: BlockEntry.run(bytes)
    case .requests: RequestEntry.run(bytes)
    case .guarded: GuardEntry.run(bytes)
    case .serverMachine: ServerMachineEntry.run(bytes)
    case .clientMachine: ClientMachineEntry.run(bytes)
    case .serverConnection: ServerConnectionEntry.run(bytes)
    case .clientConnection: ClientConnectionEntry.run(bytes)
    case .tls: TLSEntry.run(bytes)
    case .json: JSONEntry.run(bytes)
    case .markdown: DocumentEntry.run(bytes, .markdown)
    case .html: DocumentEntry.run(bytes, .html)
    case .plain: DocumentEntry.run(bytes, .plain)
    case .cursors: CursorEntry.run(bytes)
    }
  }
}
