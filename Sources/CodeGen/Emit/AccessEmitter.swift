/// Emits the documentation's table of who may call which method (docs/access.md).
struct AccessEmitter {
  private typealias Callers = MethodRuleModel.Callers

  func emit(_ files: [FileModel]) -> String {
    var out = SourceWriter()
    out.line("<!-- \(banner(for: "hito/v1/*.proto")) -->")
    out.line()
    out.lines(Self.introduction)
    let services = files.flatMap(\.services).sorted { $0.name.full < $1.name.full }
    for service in services {
      out.line()
      out.line("## \(service.name.simple)")
      out.line()
      out.line("| method | nobody | learner | instructor | service | admin | | cost | timeout |")
      out.line("|---|---|---|---|---|---|---|---|---|")
      for method in service.methods { out.line(row(method)) }
    }
    return out.text
  }

  private func row(_ method: MethodModel) -> String {
    let rule = method.rule
    let may = Callers.allCases.map { rule.callers <= $0 ? "yes" : "–" }
    let timeout = rule.timeoutSeconds.map { "\($0) s" } ?? "none"
    let name = "`\(method.name)`" + (rule.isImplemented ? "" : " (not yet)")
    let cells =
      [name] + may + [method.isReadOnly ? "reads" : "writes", "\(rule.cost)", timeout]
    return "| " + cells.joined(separator: " | ") + " |"
  }

  private static let introduction = """
    # Who may call which method

    Each method of the contract declares its rule beside it (`option (rule)`,
    `Protos/hito/v1/options.proto`): the least that a caller must be, what a call costs, and how long a
    call that names no timeout may take. The server checks the rule before the method runs; a method
    without one cannot be generated or registered. `Tests/EndToEnd/test_access.py` calls every method of
    a running server as each of these callers and compares.

    - **nobody** has no token, or one that does not work: other callers' methods answer UNAUTHENTICATED.
    - A **learner**, **instructor**, **service** or **admin** has a token of that role. A role may call
      what those before it may; what it may not call answers PERMISSION_DENIED.
    - A token with scopes may call what one of its scopes covers and nothing else, whatever its role:
      `read` covers every method that reads, `GoalService` every method of a service,
      `GoalService/GetGoal` one method. Methods for nobody need no scope.
    - Which objects a caller may read or change is decided after the rule: a learner may call `GetGoal`,
      and finds no goal of another learner.
    - **cost** is the class by which work is counted: `memory` asks no database, `rows` touches a few
      rows, `scan` reads a page or a report, `search` embeds a text and compares vectors, `model` drives a
      language model, `bulk` takes in or hands out documents or a person's data, `subscription` lasts as
      long as the client wants.
    - **not yet**: the method is promised, and answers UNIMPLEMENTED to those who may call it.
    """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}
