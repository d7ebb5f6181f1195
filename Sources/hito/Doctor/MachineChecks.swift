import Domain
import EventLake
import Foundation
import Logging
import Models
import PostgresStore
import Sandbox
import Validation

/// What of the machine and of this program can be wrong.
enum MachineChecks {
  static func processor() -> HealthReport.Finding {
    #if arch(x86_64)
      let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
      let flags = Set(line.split(whereSeparator: \.isWhitespace))
      let missing = ["avx2", "fma"].filter { !flags.contains(Substring($0)) }
      guard missing.isEmpty else {
        return .warn(
          "processor", "has no \(missing.joined(separator: " and no "))",
          "the packaged pgvector needs them: `make setup` builds Debian's PostgreSQL instead")
      }
      return .ok("processor", "has AVX2 and FMA")
    #else
      return .ok("processor", "needs no special instructions here")
    #endif
  }

  /// With a mixture of two libcryptos in the process, using TLS crashes.
  static var canUseTLS: Bool { LibraryIsolation.inspect().isIsolated }

  static func libraries() -> [HealthReport.Finding] {
    var findings: [HealthReport.Finding] = []
    if let version = LinkedLibraries.openSSLVersion {
      let isThree = version.hasPrefix("OpenSSL 3.")
      findings.append(
        isThree
          ? .ok("openssl", version)
          : .warn("openssl", version, "Hito is tested with OpenSSL 3: update libssl"))
    } else {
      findings.append(
        .fail("openssl", "libcrypto is not in this process", "install libssl3 and start again"))
    }
    let isolation = LibraryIsolation.inspect()
    findings.append(
      isolation.isIsolated
        ? .ok("libcrypto", "is the system's, not the copy inside Arrow's libparquet")
        : .fail(
          "libcrypto", "functions come from \(isolation.parquetPath)",
          "run `make setup`: it installs Arrow so that its own OpenSSL stays hidden"))
    findings.append(.ok("arrow", isolation.arrowVersion))
    if let libpq = LinkedLibraries.libpqVersion {
      findings.append(.ok("libpq", libpq))
    } else {
      findings.append(.fail("libpq", "is not in this process", "install libpq5"))
    }
    return findings
  }

  /// For a server that would be started from here.
  ///
  /// - Parameters:
  ///   - wanted: connections of clients.
  ///   - databaseConnectionCount: of the pool.
  ///   - slotCount: how many validations it runs at a time.
  static func descriptors(
    wanted: Int, databaseConnectionCount: Int, slotCount: Int
  ) -> HealthReport.Finding {
    do {
      let budget = try DescriptorBudget(
        limits: .current(), connectionCount: wanted,
        reserve: DescriptorBudget.reserve(
          threadCount: ProcessInfo.processInfo.activeProcessorCount,
          databaseConnectionCount: databaseConnectionCount, slotCount: slotCount))
      guard budget.connectionCount < wanted else { return .ok("descriptors", budget.description) }
      return .warn(
        "descriptors", budget.description,
        "raise the hard limit to \(budget.neededCount(for: wanted)) (`ulimit -n`, LimitNOFILE), or set "
          + "`connections` lower")
    } catch {
      return .fail("descriptors", "\(error)", "see docs/operations.md, Limits")
    }
  }

  static func timeZones(_ database: TimeZoneDatabase) -> HealthReport.Finding {
    guard let folder = database.folder else {
      return .warn(
        "time zones", "there is no time zone database: users can be in UTC alone",
        "install tzdata, and restart the server")
    }
    return .ok("time zones", "\(database.names.count) names, in \(folder)")
  }

  static func encoder(candidates: [String]) -> HealthReport.Finding {
    do {
      let folder = try UniversalSentenceEncoder.locate(candidates: candidates)
      let encoder = try UniversalSentenceEncoder(folder: folder)
      return .ok("encoder", "\(encoder.model.name), in \(folder)")
    } catch {
      return .warn(
        "encoder", "\(error)", "run `make setup`, or name another model: docs/operations.md")
    }
  }

  /// Tries the sandbox of learners' code with programs that would break it, and asks inside it for what
  /// judges code; nothing of that stays.
  static func codeValidation() async -> [HealthReport.Finding] {
    let sandbox = BubblewrapSandbox(SandboxConfiguration(slotCount: 1))
    let inspection = await sandbox.inspect()
    let judge = CodeJudge(
      sandbox: sandbox, toolchain: .found(), logger: Logger(label: "hito.doctor"))
    let languages = await judge.languages()
    await sandbox.stop()
    return findings(of: inspection) + LanguageChecks.findings(languages)
  }

  private static func findings(of inspection: SandboxInspection) -> [HealthReport.Finding] {
    guard !inspection.isSound else { return [.ok("sandbox", inspection.summary)] }
    // What follows from another fault would only hide it.
    let causes = inspection.broken.filter { $0.text != SandboxFinding.notTried }
    return (causes.isEmpty ? inspection.broken : causes).map { finding in
      .warn(
        "sandbox", "\(finding.promise.rawValue): \(finding.text)",
        "until it holds the server runs no code: docs/sandbox.md")
    }
  }

  static func postgres(candidates: [String]) -> HealthReport.Finding {
    do {
      let programs = try PostgresPrograms.locate(candidates: candidates)
      return .ok("postgres", "\(programs.version) with pgvector, in \(programs.prefix)")
    } catch {
      return .fail("postgres", "\(error)", "run `make setup`, or set HITO_POSTGRES")
    }
  }
}
