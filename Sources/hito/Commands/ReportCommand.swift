import ArgumentParser
import DescriptorJSON
import HitoClient

/// `hito report`: a learner's productivity.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Show a learner's productivity.",
    discussion: HelpText.prose(
      """
      The figures are exact to the last commit. docs/reports.md says what each of them counts.

        hito report
        hito report --user 0197… --days 7 --as-of 2026-02-01
      """))

  @OptionGroup var client: ClientOptions

  @Option(help: "UUID of the learner. Default: the owner of the token.")
  var user: String?

  @Option(help: "How many days back, 1 to 3660.")
  var days: Int32 = 30

  @Option(help: "The end of the report: a time or a day. Default: now.")
  var asOf: String?

  @Option(help: "Wait until this write is in the report: the cursor of its receipt.")
  var minCursor: String?

  @Flag(help: "JSON, as in the contract (GetProductivityResponse).")
  var json = false

  func validate() throws {
    guard (1...3660).contains(days) else { throw ValidationError("--days must be 1 to 3660") }
    try TimeOption.check(asOf, "--as-of")
  }

  func run() async throws {
    var request = GetProductivityRequest(
      userId: user ?? "", days: days, minCursor: minCursor ?? "")
    if let microseconds = asOf.flatMap(TimeText.microseconds) {
      // Towards the past also before 1970: nanoseconds are never negative.
      let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
      let isBefore = rest < 0
      request.asOf = Contract.Timestamp(
        seconds: isBefore ? seconds - 1 : seconds,
        nanos: Int32(isBefore ? rest + 1_000_000 : rest) * 1000)
    }
    try await reporting(client) { [request] server in
      let report = try await BusyLine.during("waiting for the report") {
        try await server.analytics.getProductivity(request, options: client.callOptions)
      }
      if json {
        Output.line(try Schema.own().json(report).shown(.pretty))
      } else {
        Output.text(ProductivityText.describe(report, columns: TerminalSize.columns()))
      }
    }
  }
}
