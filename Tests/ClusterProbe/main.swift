// Starts the embedded cluster of a data directory and waits to be killed: tests kill -9 it, because
// only another process can die the way a server dies.
import Glibc
import Logging
import PostgresStore

/// Unbuffered: the test waits for the line.
func say(_ text: String) {
  let bytes = Array((text + "\n").utf8)
  _ = write(STDOUT_FILENO, bytes, bytes.count)
}

guard CommandLine.arguments.count == 2 else {
  say("usage: cluster-probe DATA-DIRECTORY")
  exit(64)
}
func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
let cluster = EmbeddedCluster(
  .init(
    dataDirectory: CommandLine.arguments[1],
    programCandidates: PostgresPrograms.candidates(
      named: variable("HITO_POSTGRES"), home: variable("HOME"))),
  logger: Logger(label: "cluster-probe") { _ in SwiftLogNoOpLogHandler() })
do {
  _ = try await cluster.start()
  say("ready \(cluster.processID ?? 0)")
  // Until standard input ends, which it does when the test that started us is gone.
  var byte: UInt8 = 0
  while read(STDIN_FILENO, &byte, 1) > 0 {}
  try await cluster.stop()
} catch {
  say("failed \(error)")
  exit(1)
}
