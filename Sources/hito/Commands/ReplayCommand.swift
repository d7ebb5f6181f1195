import ArgumentParser
import Domain
import PostgresStore
import Replay

/// `hito replay`: the tables, rebuilt from the events.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Rebuild the tables from the log or the lake, and compare them with the live ones.",
    discussion: HelpText.prose(
      """
      Folds every event into a schema of its own beside the tables, compares both at one moment, row by
      row, and ends with 1 where they differ. Servers may run meanwhile: what they commit is taken in.

        hito replay
        hito replay --from lake --limit 50
        hito replay --keep; hito replay --continue            # the second one reads what is new only
        hito replay --swap                                    # puts rebuilt rows in place of live ones
        hito replay --at 2026-02-01T12:00:00Z --entity goal/0197…

      docs/rebuild.md says what is rebuilt of what.
      """))

  @OptionGroup var place: SettingOptions<PlaceSettings>
  @OptionGroup var database: SettingOptions<DatabaseSettings>
  @OptionGroup var lake: SettingOptions<LakeSettings>

  @Option(help: "Where the events are read: log or lake.")
  var from: ReplayPlan.Source = .log

  @Option(help: "The schema that is made; one that a replay made before is replaced.")
  var into = "hito_replay"

  @Option(help: "Only up to this time, position or cursor; the tables as they were then.")
  var at: String?

  @Option(help: "Show only this entity, for example task/0197…, as its events say.")
  var entity: String?

  @Flag(inversion: .prefixedNo, help: "Compare with the live tables.")
  var compare = true

  @Flag(help: "Keep the schema.")
  var keep = false

  @Flag(name: .customLong("continue"), help: "Continue a schema that was kept, and keep it.")
  var continues = false

  @Flag(help: "Put the rebuilt rows in the place of the live ones, if both are the same.")
  var swap = false

  @Option(help: "With --swap: how many rows may differ, and are replaced.")
  var differences = 0

  @Option(help: "How many differences of each table are shown.")
  var limit = 20

  func validate() throws {
    guard limit > 0, differences >= 0 else {
      throw ValidationError("--limit must be above 0, and --differences not below")
    }
    guard !swap || compare && at == nil else {
      throw ValidationError("--swap needs a comparison up to the end of the log")
    }
    guard swap || differences == 0 else { throw ValidationError("--differences is for --swap") }
    guard at == nil || from == .log else {
      throw ValidationError("--at reads the log, and below its floor the lake: leave --from out")
    }
  }

  func run() async throws {
    try await reporting(place, database, lake) { settings in
      let plan = ReplayPlan(
        source: from, schema: into, through: nil, isCompared: compare && at == nil,
        isKept: keep || continues || at != nil, isContinued: continues,
        conclusion: swap ? .swap(differenceMax: differences) : .none, limit: limit,
        lakeDirectory: settings[LakeSettings().lakeDir]
          ?? settings.dataDirectory.map { "\($0)/lake" })
      let (point, entity) = (at, entity)
      do {
        try await DatabaseSession.with(settings) { session in
          let owner = ConnectionSettings(conninfo: session.owner)
          // Before the pool is there: a small database has few connections to give.
          let secret = point == nil ? [] : try await PostgresInstallation.secret(owner)
          try await session.withDatabase { database in
            let moment = try await ReplayMoment.find(point, plan, secret: secret, database)
            if let entity {
              try await ReplayEntity.show(entity, at: moment, plan, database)
              return
            }
            var plan = plan
            plan.through = moment.map(\.position)
            let (final, run) = (plan, ReplayRun(plan: plan, owner: owner))
            try Self.tell(
              try await BusyLine.during("reading the events and comparing") {
                try await run.run(database)
              }, final)
          }
        }
      } catch {
        throw ReplayText.failure(error, into)
      }
    }
  }

  private static func tell(_ outcome: ReplayOutcome, _ plan: ReplayPlan) throws {
    for line in ReplayText.summary(outcome, plan) { Output.note(line) }
    guard let comparison = outcome.comparison else { return }
    Output.text(ReplayText.table(comparison))
    for line in ReplayText.differences(comparison) { Output.line(line) }
    if let count = comparison.swappedCount {
      Output.note("\(count) rows were put in place of others")
      return
    }
    guard comparison.leftOut.count == 0 else {
      throw CommandFailure("\(comparison.leftOut): what they changed was not compared")
    }
    guard comparison.isClean else {
      let refusal = plan.conclusion == .none ? "" : "; nothing was put in place"
      throw CommandFailure("the tables differ from what the events say\(refusal)")
    }
    Output.note("no difference, at position \(comparison.position)")
  }
}

extension ReplayPlan.Source: ExpressibleByArgument {}
