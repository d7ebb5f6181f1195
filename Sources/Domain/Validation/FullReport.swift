/// A report with all that is hidden from the author of the code.
package struct FullReport: Sendable, Hashable {
  /// Who wrote the tests, and may see it beside those who oversee the code.
  package var suiteAuthorID: EntityID
  package var report: ValidationReport

  package init(suiteAuthorID: EntityID, report: ValidationReport) {
    self.suiteAuthorID = suiteAuthorID
    self.report = report
  }
}
