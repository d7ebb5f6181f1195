import Domain
import EventLake
import Foundation
import Logging
import PostgresStore
import Sandbox
import Service
import ServiceLifecycle
import Transport

// What runs for as long as the server does, as services: they start in the order in which the
// server names them, and end in the opposite one, each before the next.

/// Watches over the embedded PostgreSQL and stops it last of all.
struct ClusterService: ServiceLifecycle.Service {
  let cluster: EmbeddedCluster

  func run() async throws {
    await cancelWhenGracefulShutdown { await cluster.supervise() }
    try await cluster.stop()
  }
}

/// The pool of connections to the database.
struct DatabaseService: ServiceLifecycle.Service {
  let database: PostgresDatabase

  func run() async throws {
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await database.run()
    } onCancelOrGracefulShutdown: {
      database.shutdown()
    }
  }
}

/// Writes events into the lake, and what is left of them at the end.
struct LakeService: ServiceLifecycle.Service {
  let sink: LakeSink
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown { await sink.run() }
    do {
      let position = try await sink.flush()
      logger.info("the lake is complete", metadata: ["position": "\(position)"])
    } catch  where Task.isCancelled {
      // Another part failed and says so; the next start continues from the lake's own cursor.
    } catch {
      // Nothing is lost: the next start continues from the lake's own cursor.
      logger.warning("the lake is behind the log", metadata: ["error": "\(error)"])
    }
  }
}

/// Writes the audit, and what is left of it at the end.
struct AuditService: ServiceLifecycle.Service {
  let recorder: AuditRecorder

  func run() async throws {
    await cancelWhenGracefulShutdown { await recorder.run() }
    await recorder.flush(isLast: true)
  }
}

/// Tells other servers of what this process does, and at the end that it is no more.
struct ReporterService: ServiceLifecycle.Service {
  let reporter: PipelineReporter

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await reporter.run() }
    } catch is CancellationError {
      // How it ends that has no other end.
    }
    await reporter.withdraw()
  }
}

/// Anything that runs until it is cancelled.
struct LoopService: ServiceLifecycle.Service {
  let body: @Sendable () async throws -> Void

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await body() }
    } catch is CancellationError {
      // How a loop ends that has no other end.
    }
  }
}

/// Inspects the sandbox at the start and every hour, and gives back what it holds at the end. It is there
/// before what runs in it, and ends after that.
struct SandboxService: ServiceLifecycle.Service {
  /// Nil: no code runs here.
  let sandbox: BubblewrapSandbox?

  func run() async throws {
    guard let sandbox else {
      try? await gracefulShutdown()
      return
    }
    let logger = Logger(label: "hito.sandbox")
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        await sandbox.keepInspecting { inspection in
          if inspection.isSound {
            logger.debug("the sandbox holds", metadata: ["summary": "\(inspection.summary)"])
          }
          for finding in inspection.broken {
            logger.warning(
              "no code runs here: the sandbox does not hold",
              metadata: ["promise": "\(finding.promise)", "why": "\(finding.text)"])
          }
        }
      }
      group.addTask { try? await gracefulShutdown() }
      await group.next()
      group.cancelAll()
    }
    await sandbox.stop()
  }
}

/// Runs validations. Those that run when the process is told to end have a while to end themselves, and are
/// let go then, for another worker.
struct ValidationService: ServiceLifecycle.Service {
  /// Nil: none run here.
  let worker: ValidationWorker?
  let grace: Duration

  func run() async throws {
    guard let worker else {
      try? await gracefulShutdown()
      return
    }
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await worker.run(logger: Logger(label: "hito.validation")) }
        group.addTask { [grace] in
          try await gracefulShutdown()
          worker.stop()
          try await Task.sleep(for: grace)
        }
        try await group.next()
        group.cancelAll()
      }
    } catch is CancellationError {
      // How work ends that has no other end.
    }
  }
}

/// Takes calls until the server is told to end, then drains.
struct NetworkService: ServiceLifecycle.Service {
  let server: HitoServer
  let grace: Duration
  /// Called before the first call is taken.
  let beforeListening: @Sendable () async throws -> Void
  /// Called when calls are taken, with the port.
  let whenListening: @Sendable (Int) throws -> Void
  /// Called before the drain begins, so that streams can say where to continue.
  let beforeDrain: @Sendable () async -> Void

  func run() async throws {
    try await beforeListening()
    let port = try await server.start()
    try whenListening(port)
    try? await gracefulShutdown()
    await beforeDrain()
    await server.drain(grace: grace)
  }
}

extension ReportingProcess {
  /// This process.
  static func current(id: EntityID) -> ReportingProcess {
    ReportingProcess(id: id, name: "\(hostName):\(getpid())")
  }

  /// Of this machine.
  static var hostName: String {
    var bytes = [CChar](repeating: 0, count: 256)
    let isKnown = gethostname(&bytes, bytes.count - 1) == 0
    let host = String(
      decoding: isKnown ? bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)) : [],
      as: UTF8.self)
    return host.isEmpty ? "unknown host" : host
  }
}
