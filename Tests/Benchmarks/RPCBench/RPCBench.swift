import ArgumentParser
import BenchmarkSupport
import Foundation
import HitoClient

/// `make bench-rpc`: what a call costs on the wire, and what a connection costs in memory.
@main
struct RPCBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rpc",
    abstract: "Measures unary calls that touch no database, and idle connections.")

  @OptionGroup var options: ServerOptions

  @Option(help: "Seconds of each measurement.")
  var seconds = 3

  @Option(help: "How often each is measured; medians are reported.")
  var rounds = 5

  @Option(help: "Idle connections.")
  var connections = 1000

  @Flag(help: "Only what happens under more load than the server can take.")
  var overload = false

  func validate() throws {
    guard (1...60).contains(seconds), (1...20).contains(rounds) else {
      throw ValidationError("--seconds must be 1 to 60, --rounds 1 to 20")
    }
    guard (1...5000).contains(connections) else {
      throw ValidationError("--connections must be 1 to 5000")
    }
  }

  func run() async throws {
    var report = Report()
    if overload {
      try await BenchServer.run(program: options.program) { server in
        try await Overload(server: server, seconds: seconds).measure(&report)
      }
      return try report.finish()
    }
    // Memory first, on a server that has done nothing else.
    let limits = ["--connections-per-address", "10000", "--connection-idle-anonymous", "0"]
    try await BenchServer.run(program: options.program, options: limits) { server in
      try await IdleConnections(server: server, count: connections).measure(&report)
    }
    try await BenchServer.run(program: options.program) { server in
      let isPinned = Pinning.separate(server.processID)
      say(isPinned ? "server on core 0, client on core 1" : "not pinned: there is one core only")
      try await Echo(server: server, seconds: seconds, rounds: rounds).measure(&report)
    }
    try await BenchServer.run(program: options.program) { server in
      try await Overload(server: server, seconds: seconds).measure(&report)
    }
    try report.finish()
  }
}

/// Server and client on a core each, so that neither waits for the other's.
enum Pinning {
  static func separate(_ server: pid_t) -> Bool {
    guard ProcessInfo.processInfo.activeProcessorCount >= 2 else { return false }
    let own = ProcessInfo.processInfo.processIdentifier
    do {
      try Programs.run(["taskset", "-a", "-c", "-p", "0", "\(server)"])
      try Programs.run(["taskset", "-a", "-c", "-p", "1", "\(own)"])
      return true
    } catch {
      return false
    }
  }
}
