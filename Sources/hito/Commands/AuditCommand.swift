import ArgumentParser
import DescriptorJSON
import Domain
import EventLake
import EventLog
import Foundation
import HitoClient
import Logging
import PostgresStore

/// `hito audit`: who was refused, who read what, and whether anybody changed the log.
struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Show what the server noted, and verify that nobody changed the log.",
    subcommands: [AuditListCommand.self, AuditVerifyCommand.self, AuditHeadCommand.self],
    defaultSubcommand: AuditListCommand.self)
}

/// `hito audit list`
struct AuditListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show refused calls, reads of others' data, sign-ins and exports, newest first.",
    discussion: HelpText.prose(
      """
      Admins see everything; everybody else what they did, and who read what is theirs. Changes are
      events: `hito watch --from beginning` shows them, with their actor in the metadata.
      """))

  @OptionGroup var client: ClientOptions

  @Option(help: "UUID of who did it.")
  var actor: String?

  @Option(help: "UUID of whose data it was.")
  var subject: String?

  @Option(help: "refusal, read, sign_in, export or notice; may be given several times.")
  var kind: [Domain.AuditEntry.Kind] = []

  @Option(help: "From this time or day on.")
  var from: String?

  @Option(help: "Until before this time or day.")
  var until: String?

  @Option(help: "How many at most.")
  var limit: Int = 50

  @Flag(help: "A line of JSON for each, as in the contract (AuditEntry).")
  var json = false

  func validate() throws {
    guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
    try TimeOption.check(from, "--from")
    try TimeOption.check(until, "--until")
  }

  func run() async throws {
    var request = ListAuditEntriesRequest(actorId: actor ?? "", subjectId: subject ?? "")
    request.kinds = kind.map(\.contract)
    request.range = TimeRange(
      startUs: from.flatMap(TimeText.microseconds) ?? 0,
      endUs: until.flatMap(TimeText.microseconds) ?? 0)
    try await reporting(client) { [request] server in
      let entries = try await Self.entries(request, limit: limit, client.callOptions, of: server)
      try show(entries)
    }
  }

  private static func entries(
    _ request: ListAuditEntriesRequest, limit: Int, _ options: CallOptions, of server: HitoClient
  ) async throws -> [Contract.AuditEntry] {
    var entries: [Contract.AuditEntry] = []
    var token = ""
    repeat {
      let size = Int32(min(limit - entries.count, 200))
      var request = request
      request.page = Contract.PageRequest(pageSize: size, pageToken: token)
      let response = try await server.server.listAuditEntries(request, options: options)
      entries += response.entries
      token = response.page?.nextPageToken ?? ""
    } while !token.isEmpty && entries.count < limit
    return entries
  }

  private func show(_ entries: [Contract.AuditEntry]) throws {
    if json {
      let schema = try Schema.own()
      for entry in entries { Output.line(try schema.json(entry).shown()) }
      return
    }
    var table = TextTable(
      ["NUMBER", "LAST", "KIND", "TIMES", "WHO", "WHOSE", "METHOD", "STATUS", "FROM", "WHY"],
      rightColumns: [0, 3])
    for entry in entries { table.add(Self.cells(entry)) }
    Output.text(table.text)
  }

  private static func cells(_ entry: Contract.AuditEntry) -> [String] {
    [
      "\(entry.number)", entry.lastAt.flatMap { TimeText.text(seconds: $0.seconds) } ?? "",
      kind(entry.kind), "\(entry.count)", entry.actorId, entry.subjectId,
      entry.method.replacing("hito.v1.", with: ""),
      StatusCode(rawValue: UInt16(clamping: entry.status)).map { $0 == .ok ? "" : "\($0)" } ?? "",
      entry.peer, entry.reason,
    ]
  }

  /// As `--kind` names it; the number of one that this program does not know.
  private static func kind(_ kind: AuditKind) -> String {
    Domain.AuditEntry.Kind.allCases.first { $0.contract == kind }?.rawValue ?? "\(kind.rawValue)"
  }
}

extension Domain.AuditEntry.Kind: ExpressibleByArgument {
  fileprivate var contract: AuditKind {
    switch self {
    case .refusal: .refusal
    case .read: .read
    case .signIn: .signIn
    case .export: .export
    case .notice: .notice
    }
  }
}

/// `hito audit verify`
struct AuditVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compare the log and the audit's entries with their seals.",
    discussion: HelpText.prose(
      """
      Reads everything, straight from the database, and ends with status 1 at the first event, entry or
      seal that was changed, removed or added past the servers. Who may write to the database as its
      administrator can make all seals anew: keep what `hito audit head` prints outside of it and give
      it here, or have the seals signed (setting `audit-key`).
      """))

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var lake: SettingOptions<LakeSettings>

  @Option(help: "A hash that `hito audit head` printed: it must be that of a seal.")
  var expect: String?

  func validate() throws {
    if let expect, Self.bytes(expect) == nil {
      throw ValidationError("--expect wants 64 hexadecimal digits")
    }
  }

  func run() async throws {
    try await reporting(database.place, database.database, lake) { settings in
      let expected = expect.flatMap(Self.bytes)
      let lake = try await Self.lake(settings)
      let key = settings[DatabaseSettings().auditKey].map { Array($0.utf8) }
      let report = try await DatabaseSession.with(settings) { session in
        try await session.withDatabase { database in
          try await SealVerifier(
            log: PostgresEventLog(database, archive: lake), store: PostgresAuditStore(database),
            key: key
          ).verify(expected: expected) { position, head in
            if isatty(STDERR_FILENO) != 0 { Output.error("\r\(position) of \(head) events") }
          }
        }
      }
      if isatty(STDERR_FILENO) != 0 { Output.error("\r") }
      try Self.show(report)
    }
  }

  private static func show(_ report: SealVerifier.Report) throws {
    Output.line(
      "\(report.sealCount) seals over \(report.sealedPosition) events and \(report.sealedEntry) entries"
    )
    if let fault = report.fault { throw CommandFailure("\(fault)") }
    if report.unreadEventCount > 0 {
      Output.note(
        "warning: \(report.unreadEventCount) events have left the database and were not looked at: give "
          + "the lake that has them (--lake-dir)")
    }
    if report.removedEntry > 0 {
      Output.line("entries up to \(report.removedEntry) were removed as old: see the notices")
    }
    Output.line("head \(hexadecimal(report.head))")
    Output.line(
      "all as sealed; \(report.unsealedEventCount) events and \(report.unsealedEntryCount) entries wait "
        + "for their seal")
  }

  /// The lake, where there is one that can be read.
  private static func lake(_ settings: Settings) async throws -> ParquetEventLake? {
    let directory = settings[LakeSettings().lakeDir]
    guard let directory, FileManager.default.fileExists(atPath: "\(directory)/manifest") else {
      return nil
    }
    let lake = ParquetEventLake(directory: directory)
    do throws(LakeError) {
      try await lake.openForReading()
      return lake
    } catch {
      Output.note("warning: the lake cannot be read: \(error)")
      return nil
    }
  }

  fileprivate static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0\(text)" : text
    }.joined()
  }

  private static func bytes(_ text: String) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard text.count == 64, digits.count == 64 else { return nil }
    return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

/// `hito audit head`
struct AuditHeadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "head",
    abstract: "Print the hash of the newest seal, to keep outside of the database.")

  @OptionGroup var database: DatabaseOptions

  func run() async throws {
    try await database.open { session in
      let seal = try await session.withDatabase { database in
        try await PostgresAuditStore(database).lastSeal()
      }
      guard let seal else { throw CommandFailure("nothing is sealed yet; try again in a moment") }
      Output.line(AuditVerifyCommand.hexadecimal(seal.hash))
      Output.note(
        "seal \(seal.number), of \(seal.madeAt): events up to position \(seal.lastPosition), entries up "
          + "to \(seal.lastEntry)")
    }
  }
}
