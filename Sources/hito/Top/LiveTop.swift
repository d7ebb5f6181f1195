import HitoClient

/// The terminal view while it runs: looks at the server, draws, listens to keys.
struct LiveTop: Sendable {
  /// How soon a key is answered.
  private static let keyInterval = Duration.milliseconds(50)

  let server: HitoClient
  let access: ServerAccess
  let options: CallOptions
  let interval: Duration
  var order: TopOrder
  var sample: TopSample
  private var before: TopSample?
  /// Why there is nothing newer.
  private var trouble: String?

  init(
    server: HitoClient, access: ServerAccess, options: CallOptions, interval: Duration,
    order: TopOrder, sample: TopSample
  ) {
    self.server = server
    self.access = access
    self.options = options
    self.interval = interval
    self.order = order
    self.sample = sample
  }

  /// Until the task is cancelled or `q` is typed.
  mutating func run() async throws {
    var screen = TerminalScreen()
    defer { screen.leave() }
    try screen.enter()
    while !Task.isCancelled {
      try draw(on: screen)
      guard try await waited(screen) else { return }
      await look()
    }
  }

  /// False where it is to end.
  private mutating func waited(_ screen: TerminalScreen) async throws -> Bool {
    let due = ContinuousClock.now + interval
    while ContinuousClock.now < due {
      guard (try? await Task.sleep(for: Self.keyInterval)) != nil else { return false }
      while let key = screen.key() {
        if key == "q" || key == "Q" { return false }
        guard let chosen = TopOrder(key: key) else { continue }
        order = chosen
        try draw(on: screen)
      }
    }
    return true
  }

  private mutating func look() async {
    do {
      let next = try await TopSample.take(of: server, options)
      before = trouble == nil ? sample : nil
      sample = next
      trouble = nil
    } catch let error as RPCError {
      trouble = ErrorText.describe(error, access: access)
    } catch {
      trouble = SystemText.of(error)
    }
  }

  private func draw(on screen: TerminalScreen) throws(Output.Failure) {
    let width = TerminalSize.columns() ?? TerminalSize.standard
    let height = TerminalScreen.height ?? 24
    let style = Style.ofStandardOutput
    var lines: [String] = []
    if let trouble {
      let line = "-- trying again: \(TerminalText.clean(trouble))"
      lines.append(style.red(FittingTable.fitted(line, width)))
    }
    let text = TopText(
      change: TopChange(sample, before: before, order: order), order: order,
      address: access.name, width: width, height: max(1, height - lines.count - 1), style: style)
    lines += text.lines
    lines.append(
      style.dim(
        FittingTable.fitted(
          "by \(order.rawValue): r rate  t time  p p99  e errors  o open  n name  q quit", width)))
    try screen.draw(lines)
  }
}
