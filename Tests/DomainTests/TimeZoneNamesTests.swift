import Testing

@testable import Domain

@Suite("Names of time zones")
struct TimeZoneNamesTests {
  private let zones = TimeZoneNames(["Europe/Madrid", "Etc/GMT+2"])

  @Test("are looked up as they are")
  func lookup() {
    for name in ["Europe/Madrid", "Etc/GMT+2", "UTC"] { #expect(zones.problem(with: name) == nil) }
    for name in [
      "", "Mars/Base", "UTC+2", "Europe/Madrid ", "Europe", String(repeating: "a", count: 9999),
    ] {
      #expect(zones.problem(with: name)?.hasSuffix("such as Europe/Madrid") == true, "\(name)")
    }
  }

  @Test("that are spelt in other letters are shown as they should be")
  func spelling() {
    #expect(zones.problem(with: "europe/MADRID")?.hasSuffix("did you mean Europe/Madrid?") == true)
  }

  @Test("are UTC alone where there is no database, which is said")
  func nothing() {
    #expect(TimeZoneNames.utcOnly.problem(with: "UTC") == nil)
    #expect(TimeZoneNames.utcOnly.problem(with: "Europe/Madrid")?.contains("tzdata") == true)
  }
}
