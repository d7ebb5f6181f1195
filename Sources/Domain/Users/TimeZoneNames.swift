/// The names of time zones that a machine knows.
///
/// A zone is looked up and not matched by its looks: `Mars/Base` looks like one. Where a machine has no time
/// zone database, `UTC` alone is known, so that nothing wrong is stored for want of a list.
package struct TimeZoneNames: Sendable {
  package static let utcOnly = TimeZoneNames([])

  private let names: Set<String>
  /// By what they are in lower case.
  private let spellings: [String: String]
  /// Whether there was no database to read.
  package var isEmpty: Bool { names.count <= 1 }
  package var count: Int { names.count }

  /// - Parameter names: as the time zone database has them; `UTC` is one of them in any case.
  package init(_ names: some Sequence<String>) {
    let all = Set(names).union(["UTC"])
    self.names = all
    spellings = Dictionary(all.map { ($0.lowercased(), $0) }, uniquingKeysWith: { min($0, $1) })
  }

  package var sorted: [String] { names.sorted() }

  package func contains(_ name: String) -> Bool { names.contains(name) }

  /// What is wrong with `name` as a user's time zone; nil where it is one.
  package func problem(with name: String) -> String? {
    if contains(name) { return nil }
    let rule = "must be a name of the IANA time zone database such as Europe/Madrid"
    if isEmpty {
      return "\(rule), and this machine has no such database (tzdata): it knows UTC alone"
    }
    guard name.utf8.count <= UserLimits.timeZone, let near = spellings[name.lowercased()] else {
      return rule
    }
    return "\(rule): did you mean \(near)?"
  }
}
