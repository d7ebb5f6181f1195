package import Domain
package import RPC

/// What does not change while the server runs.
package struct ServerInfo: Sendable {
  /// New at each start.
  package var serverID: String
  package var version: String
  package var startedAt: Timestamp
  /// `hito/1`.
  package var protocolName: String

  package init(
    serverID: String, version: String, startedAt: Timestamp, protocolName: String = "hito/1"
  ) {
    self.serverID = serverID
    self.version = version
    self.startedAt = startedAt
    self.protocolName = protocolName
  }
}

/// An open connection.
package struct ConnectionState: Sendable, Hashable {
  package var id: UInt64
  package var peer: String
  package var agent: String
  package var userID: String
  package var streamCount: Int
  package var openedAt: Timestamp
  package var byteCountIn: Int64
  package var byteCountOut: Int64
  /// Of the protocol, as both sides speak it.
  package var minorVersion: UInt16 = 0
  /// How messages to it may be compressed.
  package var encodings: [String] = []
  /// Bytes of messages that may still be sent to it.
  package var creditLeft = 0
  /// Credit that it has not had back.
  package var creditOwed = 0
  /// Bytes that it makes the server keep.
  package var keptByteCount = 0
  /// Calls whose messages wait to be sent.
  package var waitingCallCount = 0
  package var isDraining = false

  package init(
    id: UInt64, peer: String, agent: String, userID: String, streamCount: Int,
    openedAt: Timestamp, byteCountIn: Int64, byteCountOut: Int64
  ) {
    self.id = id
    self.peer = peer
    self.agent = agent
    self.userID = userID
    self.streamCount = streamCount
    self.openedAt = openedAt
    self.byteCountIn = byteCountIn
    self.byteCountOut = byteCountOut
  }
}

/// A call under way.
package struct CallState: Sendable, Hashable {
  package var connectionID: UInt64
  package var streamID: UInt32
  package var method: String
  package var userID: String
  package var age: Duration
  package var kind = MethodKind.unary
  /// Until its deadline; nil where it has none.
  package var timeLeft: Duration?
  package var phase = CallStage.running
  package var traceID = ""

  package init(
    connectionID: UInt64, streamID: UInt32, method: String, userID: String, age: Duration
  ) {
    self.connectionID = connectionID
    self.streamID = streamID
    self.method = method
    self.userID = userID
    self.age = age
  }
}

/// What the server can say of itself; whoever wires it gives what there is.
package struct ServerInspection: Sendable {
  package var connections: @Sendable () async -> [ConnectionState]
  package var calls: @Sendable () async -> [CallState]
  /// The server in numbers.
  package var statistics: @Sendable () async -> ServerTotals
  /// Of this process.
  package var pipelines: @Sendable () async throws -> [PipelineState]
  /// What other processes say of theirs; apart, since searches that wait for a vector ask for our own again
  /// and again.
  package var otherPipelines: @Sendable () async throws -> [PipelineState]
  /// Writes what is waiting into the lake; nil where there is none.
  package var flushLake: (@Sendable () async throws -> (position: Int64, rowCount: Int64))?

  package init(
    connections: @escaping @Sendable () async -> [ConnectionState] = { [] },
    calls: @escaping @Sendable () async -> [CallState] = { [] },
    statistics: @escaping @Sendable () async -> ServerTotals = { ServerTotals() },
    pipelines: @escaping @Sendable () async throws -> [PipelineState] = { [] },
    otherPipelines: @escaping @Sendable () async throws -> [PipelineState] = { [] },
    flushLake: (@Sendable () async throws -> (position: Int64, rowCount: Int64))? = nil
  ) {
    self.connections = connections
    self.calls = calls
    self.statistics = statistics
    self.pipelines = pipelines
    self.otherPipelines = otherPipelines
    self.flushLake = flushLake
  }
}
