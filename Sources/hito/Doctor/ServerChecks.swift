import Broker
import Domain
import EventLake
import Foundation
import Glibc
import HitoClient
import PostgresStore

/// What of the database and the running server can be wrong.
enum ServerChecks {
  private static let timeout = Duration.seconds(5)
  private static let clockDifferenceMax: TimeInterval = 30

  // MARK: Broker

  static func broker(_ broker: BrokerConfiguration) async -> HealthReport.Finding {
    guard let problem = await broker.problem() else { return .ok("broker", "lets us in") }
    return .fail("broker", "\(problem)", problem.advice)
  }

  // MARK: Database

  static func database(
    url: String?, dataDirectory: String, lake: String, timeZones: TimeZoneNames
  ) async -> [HealthReport.Finding] {
    if let url {
      return await database(owner: url, application: url, lake: lake, timeZones: timeZones)
    }
    guard let connection = await RunningCluster.find(dataDirectory: dataDirectory) else {
      return [.ok("database", "embedded, not running; `hito serve` starts it")]
    }
    return await database(
      owner: connection.conninfo(role: .owner),
      application: connection.conninfo(role: .application), lake: lake, timeZones: timeZones)
  }

  private static func database(
    owner: String, application: String, lake: String, timeZones: TimeZoneNames
  ) async -> [HealthReport.Finding] {
    let database = PostgresDatabase(PostgresDatabase.Configuration(conninfo: owner))
    do {
      try await database.check()
    } catch {
      let advice =
        switch error {
        case .refused: "check the URL, the server and who may log in (pg_hba.conf)"
        case .unusable: "change what it says, then run this again"
        }
      return [.fail("database", "\(error)", advice)]
    }
    var findings = [HealthReport.Finding.ok("database", "answers, and its version will do")]
    do {
      let pending = try await Migrator(ConnectionSettings(conninfo: owner)).status()
        .filter { $0.appliedAt == nil }
      findings.append(
        pending.isEmpty
          ? .ok("schema", "up to date")
          : .warn(
            "schema", "\(pending.count) migrations are pending",
            "run `hito migrate up`, or start the server"))
    } catch {
      findings.append(
        .fail("schema", "\(error)", "use the version of Hito that belongs to this database"))
    }
    let settings = ConnectionSettings(conninfo: application)
    if let state = try? await RowSecurity.state(settings) { findings.append(isolation(state)) }
    if let zones = try? await PostgresInstallation.timeZones(ConnectionSettings(conninfo: owner)) {
      findings.append(self.zones(zones, among: timeZones))
    }
    if let history = try? await PostgresInstallation.history(settings) {
      findings.append(
        .ok(
          "log",
          "\(history.logID), epoch \(history.epochs.count), begun after \(history.current.beganAfter)"
        ))
    }
    if let floor = try? await PostgresInstallation.floor(settings), floor.position > 0 {
      findings.append(archive(lake, below: floor.position))
    }
    return findings
  }

  /// Whether the lake of this machine has what has left the database.
  private static func archive(_ path: String, below floor: Int64) -> HealthReport.Finding {
    let subject = "archive"
    do throws(LakeError) {
      guard let stand = try ParquetEventLake.stand(inFolder: path) else {
        throw .missing(path: path, floor: floor)
      }
      guard stand.publishedPosition >= floor else {
        throw .behindFloor(published: stand.publishedPosition, floor: floor)
      }
      return .ok(subject, "events up to \(floor) have left the database; the lake has them")
    } catch {
      return .fail(subject, "\(error)", "see docs/operations.md, Events that leave the database")
    }
  }

  /// Zones were not looked up before they were stored until now.
  private static func zones(
    _ stored: [PostgresInstallation.StoredTimeZone], among names: TimeZoneNames
  ) -> HealthReport.Finding {
    let subject = "users' zones"
    let wrong = stored.filter { !names.contains($0.name) }
    guard !wrong.isEmpty, !names.isEmpty else { return .ok(subject, "all exist") }
    let shown = wrong.prefix(10).map { "\($0.name): \($0.userCount), such as \($0.userID)" }
    let rest = wrong.count > shown.count ? ", and \(wrong.count - shown.count) other names" : ""
    return .warn(
      subject, "there are no such time zones: \(shown.joined(separator: ", "))\(rest)",
      "give these users another: hito call UpdateUser '{\"userId\": \"\(wrong[0].userID)\", \"user\": "
        + "{\"timeZone\": \"Europe/Madrid\"}, \"updateMask\": \"timeZone\"}'")
  }

  private static func isolation(_ state: RowSecurity.State) -> HealthReport.Finding {
    let subject = "isolation"
    guard let warning = state.warning else {
      return .ok(subject, "learners' rows are read under row-level security")
    }
    return .warn(subject, warning.text, warning.advice)
  }

  // MARK: Server

  static func server(_ access: ServerAccess) async -> [HealthReport.Finding] {
    var findings: [HealthReport.Finding] = []
    do {
      let client = try access.client()
      defer { client.close() }
      let options = CallOptions(timeout: timeout)
      let info = try await client.server.getServerInfo(GetServerInfoRequest(), options: options)
      findings.append(.ok("server", "Hito \(info.version) answers at \(access.name)"))
      findings += clock(info)
      findings.append(try await health(client, options))
      findings.append(await token(access, client, options))
    } catch let error as RPCError where error.code == .unavailable && !error.isFromServer {
      findings.append(noServer(error, access))
    } catch let error as RPCError {
      findings.append(
        .fail(
          "server", "\(access.name): \(ErrorText.describe(error))", "look into the server's log"))
    } catch {
      findings.append(
        .fail("server", "\(error)", "name the authority with --ca, or HITO_CA"))
    }
    return findings
  }

  private static func noServer(
    _ error: RPCError, _ access: ServerAccess
  ) -> HealthReport.Finding {
    let cause = error.cause.map { " (\($0))" } ?? ""
    let local = ["127.0.0.1", "localhost", "::1"]
    guard access.addresses.count == 1, let address = access.addresses.first,
      local.contains(address.host)
    else {
      return .fail(
        "server", "\(access.name) does not answer\(cause)", "check the address, and the network")
    }
    if PortProbe.isFree(address.port) {
      return .warn("server", "nothing listens at \(address)", "start it with `hito serve`")
    }
    return .fail(
      "server",
      "something listens at \(address), but it is not a server that we trust: "
        + error.message + cause,
      "another program may hold the port (`ss -ltnp`), or --ca is of another server")
  }

  private static func clock(_ info: GetServerInfoResponse) -> [HealthReport.Finding] {
    guard let now = info.now else { return [] }
    let difference = abs(Date.now.timeIntervalSince1970 - TimeInterval(now.seconds))
    return [
      difference > clockDifferenceMax
        ? .warn(
          "clock", "\(Int(difference)) s apart from the server's",
          "turn time synchronization on: tokens and certificates depend on it")
        : .ok("clock", "agrees with the server's")
    ]
  }

  private static func health(
    _ client: HitoClient, _ options: CallOptions
  ) async throws -> HealthReport.Finding {
    let answer = try await client.health.check(HealthCheckRequest(), options: options)
    return answer.status == .serving
      ? .ok("health", "serving")
      : .fail(
        "health", "\(answer.status.protoName ?? "unknown") \(answer.message)",
        "look into the server's log")
  }

  private static func token(
    _ access: ServerAccess, _ client: HitoClient, _ options: CallOptions
  ) async -> HealthReport.Finding {
    guard access.token != nil else {
      return .warn("token", "none is set", "make one with `hito token create`; see HITO_TOKEN")
    }
    do {
      let answer = try await client.users.getUser(GetUserRequest(), options: options)
      let user = answer.user ?? User()
      let role = user.role.protoName?.dropPrefix("ROLE_").lowercased() ?? "unknown role"
      return .ok("token", "works: \(user.displayName), \(role) (\(access.tokenSource))")
    } catch {
      return .fail(
        "token", "\(ErrorText.describe(error))", "make another with `hito token create`")
    }
  }
}

/// Whether a server could listen on a port of this machine.
enum PortProbe {
  static func isFree(_ port: Int) -> Bool {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard file >= 0 else { return false }
    defer { close(file) }
    var reuse: Int32 = 1
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
