import HitoClient

/// A change between two samples, as it is shown.
struct TopText: Sendable {
  /// Rows of each list where the terminal has no end.
  private static let rowMax = 50

  let change: TopChange
  let order: TopOrder
  /// As people write it.
  let address: String
  /// Nil: any.
  let width: Int?
  /// How many lines there may be; nil: any.
  let height: Int?
  let style: Style

  var lines: [String] {
    let tables = [
      ("METHODS", methods), ("CLASSES", classes), ("CALLS", calls), ("CONNECTIONS", connections),
      ("PIPELINES", pipelines), ("SLOW CALLS", slowCalls),
    ]
    var lines = summary
    let shown = tables.filter { !$0.1.rows.isEmpty }
    let rowCounts = share(lines: lines.count, among: shown.map(\.1.rows.count))
    for ((title, table), rowCount) in zip(shown, rowCounts) where rowCount > 0 {
      lines.append("")
      let rest = table.rows.count - rowCount
      lines.append(style.bold(cut(title + (rest > 0 ? "  (\(rest) more)" : ""))))
      let rows = table.lines(width: width, rowMax: rowCount)
      lines.append(style.dim(rows[0]))
      lines += rows.dropFirst()
    }
    if change.now.pipelines == nil {
      lines.append("")
      lines.append(style.yellow(cut("pipelines: \(TerminalText.clean(change.now.pipelinesError))")))
    }
    return height.map { Array(lines.prefix($0)) } ?? lines
  }

  private func cut(_ line: String) -> String {
    guard let width, TerminalWidth.of(line) > width else { return line }
    return FittingTable.fitted(line, width)
  }

  /// Rows for each list: a row each in turn, until there is no room for more.
  private func share(lines used: Int, among wanted: [Int]) -> [Int] {
    guard let height else { return wanted.map { min($0, Self.rowMax) } }
    // A list takes a blank line, its title and its heads.
    var left = height - used
    var given = [Int](repeating: 0, count: wanted.count)
    var isProgress = true
    while left > 0, isProgress {
      isProgress = false
      for index in wanted.indices where given[index] < wanted[index] {
        let cost = given[index] == 0 ? 4 : 1
        guard left >= cost else { continue }
        given[index] += 1
        left -= cost
        isProgress = true
      }
    }
    return given
  }

  // MARK: The server

  private var summary: [String] {
    let server = change.now.statistics.server ?? ServerStatistics()
    let age = Duration.microseconds(
      TopChange.microseconds(server.now) - TopChange.microseconds(server.startedAt))
    let kept = server.memory.map {
      "\($0.name) \(Self.bytes(Double($0.bytes))) of \(Self.bytes(Double($0.bytesMax)))"
    }
    let lag = server.eventLoops.map(\.lagUs).max() ?? 0
    let peak = server.eventLoops.map(\.lagPeakUs).max() ?? 0
    let refusals = server.refusals.map { "\($0.reason) \($0.count)" }
    var lines = wrapped([
      "hito \(TerminalText.clean(address))", "up \(DurationText.text(age))",
      "\(Self.number(change.rate)) calls/s", "\(server.openCalls) open",
      "\(server.connections) connections",
      "in \(Self.bytes(change.bytesIn))/s", "out \(Self.bytes(change.bytesOut))/s",
      "cpu \(Int((change.processorShare * 100).rounded())) %",
      "memory \(Self.bytes(Double(server.residentBytes)))",
    ])
    if let first = lines.first { lines[0] = style.bold(first) }
    lines += wrapped(
      kept.map { "kept of \($0)" } + ["loops late \(Self.time(lag)) (lately \(Self.time(peak)))"]
    )
    if !refusals.isEmpty { lines += wrapped(["refused:"] + refusals) }
    return lines
  }

  /// Parts with two blanks between them, on as many lines as they need.
  private func wrapped(_ parts: [String]) -> [String] {
    var lines: [String] = []
    var column = 0
    for part in parts.map(cut) {
      let size = TerminalWidth.of(part)
      if let width, !lines.isEmpty, column + 2 + size > width { column = 0 }
      if column == 0 {
        lines.append(part)
        column = size
      } else {
        lines[lines.count - 1] += "  " + part
        column += 2 + size
      }
    }
    return lines
  }

  // MARK: The lists

  private var methods: FittingTable {
    var table = FittingTable([
      .init("METHOD", rank: 0, isRight: false), .init("CALLS/S", rank: 1),
      .init("OPEN", rank: 4), .init("BUSY", rank: 3), .init("P50", rank: 6),
      .init("P90", rank: 7), .init("P99", rank: 2), .init("MAX", rank: 8),
      .init("ERRORS/S", rank: 5),
    ])
    for method in change.methods {
      table.add([
        method.name, Self.number(method.rate), "\(method.open)", Self.number(method.time),
        Self.time(method.p50), Self.time(method.p90), Self.time(method.p99),
        Self.time(method.maximum), Self.number(method.errors),
      ])
    }
    return table
  }

  /// Classes of calls that are at work, or that have refused some.
  private var classes: FittingTable {
    var table = FittingTable([
      .init("CLASS", rank: 0, isRight: false), .init("RUN", rank: 1), .init("MAY", rank: 2),
      .init("WAIT", rank: 3), .init("USERS", rank: 6), .init("MEAN", rank: 5),
      .init("SLOWER", rank: 4), .init("REFUSED", rank: 7),
    ])
    for one in change.now.statistics.classes {
      let refused = one.refusedForDeadline + one.refusedForOverload + one.overdue
      guard one.running > 0 || one.waiting > 0 || refused > 0 else { continue }
      table.add([
        one.cost + (one.shedding ? " (refuses)" : ""), "\(one.running)", "\(one.runningMax)",
        "\(one.waiting)", "\(one.waitingUsers)", Self.time(one.meanUs),
        Self.number(one.slowdown) + "×", "\(refused)",
      ])
    }
    return table
  }

  private var calls: FittingTable {
    var table = FittingTable([
      .init("CALL", rank: 0, isRight: false), .init("FOR", rank: 1),
      .init("DOES", rank: 2, isRight: false), .init("LEFT", rank: 3),
      .init("STREAM", rank: 4, isRight: false), .init("USER", rank: 5, isRight: false),
      .init("TRACE", rank: 6, isRight: false),
    ])
    for call in change.now.calls.calls.prefix(Self.rowMax) {
      table.add([
        TopMethod.short(call.method), Self.time(call.ageUs), Self.phase(call.phase),
        call.deadlineLeftUs > 0 ? Self.time(call.deadlineLeftUs) : "",
        "\(call.connectionId)/\(call.streamId)", call.userId, call.traceId,
      ])
    }
    return table
  }

  private var connections: FittingTable {
    var table = FittingTable([
      .init("PEER", rank: 0, isRight: false), .init("ID", rank: 4), .init("CALLS", rank: 1),
      .init("KEPT", rank: 2), .init("CREDIT", rank: 5), .init("OWED", rank: 7),
      .init("IN", rank: 3), .init("OUT", rank: 3), .init("WIRE", rank: 8, isRight: false),
      .init("AGENT", rank: 6, isRight: false), .init("USER", rank: 9, isRight: false),
    ])
    let busiest = change.now.connections.connections.sorted {
      ($0.streams, $0.bytesIn + $0.bytesOut) > ($1.streams, $1.bytesIn + $1.bytesOut)
    }
    for connection in busiest.prefix(Self.rowMax) {
      let wire = ["1.\(connection.minorVersion)"] + connection.encodings
      table.add([
        connection.peer, "\(connection.id)",
        "\(connection.streams)"
          + (connection.waitingCalls > 0 ? " (\(connection.waitingCalls) wait)" : ""),
        Self.bytes(Double(connection.keptBytes)), Self.bytes(Double(connection.creditLeft)),
        Self.bytes(Double(connection.creditOwed)), Self.bytes(Double(connection.bytesIn)),
        Self.bytes(Double(connection.bytesOut)),
        wire.joined(separator: "+") + (connection.draining ? " draining" : ""),
        connection.agent, connection.userId,
      ])
    }
    return table
  }

  private var pipelines: FittingTable {
    var table = FittingTable([
      .init("PIPELINE", rank: 0, isRight: false), .init("BEHIND", rank: 1),
      .init("SINCE", rank: 2), .init("WAITING", rank: 3),
      .init("", rank: 4, isRight: false),
    ])
    for pipeline in change.now.pipelines?.pipelines ?? [] {
      table.add([
        pipeline.name, "\(pipeline.lagEvents)",
        pipeline.lagUs > 0 ? Self.time(pipeline.lagUs) : "", "\(pipeline.waiting)",
        pipeline.lastError.isEmpty ? pipeline.detail : pipeline.lastError,
      ])
    }
    return table
  }

  private var slowCalls: FittingTable {
    var table = FittingTable([
      .init("SLOW CALL", rank: 0, isRight: false), .init("TOOK", rank: 1),
      .init("ENDED", rank: 2, isRight: false), .init("AGO", rank: 3),
      .init("USER", rank: 4, isRight: false), .init("TRACE", rank: 5, isRight: false),
    ])
    let now = TopChange.microseconds(change.now.statistics.server?.now)
    for call in change.now.statistics.slowCalls.prefix(Self.rowMax) {
      table.add([
        TopMethod.short(call.method), Self.time(call.durationUs), call.status,
        Self.time(max(0, now - TopChange.microseconds(call.endedAt))), call.userId,
        call.traceId,
      ])
    }
    return table
  }

  // MARK: Values

  private static func phase(_ phase: CallPhase) -> String {
    switch phase {
    case .awaitingCaller: "asks who"
    case .awaitingRequest: "reads"
    case .awaitingTurn: "queues"
    case .running: "runs"
    case .awaitingCredit: "no credit"
    default: "?"
    }
  }

  static func number(_ value: Double) -> String {
    if value >= 100 || value == 0 { return "\(Int(value.rounded()))" }
    return fixed(value, value >= 10 ? 1 : 2)
  }

  static func bytes(_ count: Double) -> String {
    var (value, units) = (count, ["KiB", "MiB", "GiB", "TiB"][...])
    guard value >= 1024 else { return "\(Int(value.rounded())) B" }
    var unit = ""
    while value >= 1024, let next = units.popFirst() {
      value /= 1024
      unit = next
    }
    return "\(value >= 100 ? "\(Int(value.rounded()))" : fixed(value, 1)) \(unit)"
  }

  static func time(_ microseconds: Int64) -> String {
    switch microseconds {
    case ..<1000: "\(microseconds) µs"
    case ..<100_000: "\(fixed(Double(microseconds) / 1000, 1)) ms"
    case ..<1_000_000: "\(microseconds / 1000) ms"
    default: DurationText.text(.microseconds(microseconds))
    }
  }

  private static func fixed(_ value: Double, _ places: Int) -> String {
    let scale = places == 1 ? 10 : 100
    let whole = Int((value * Double(scale)).rounded())
    let fraction = "\(whole % scale)"
    return "\(whole / scale)."
      + String(repeating: "0", count: max(0, places - fraction.count)) + fraction
  }
}
