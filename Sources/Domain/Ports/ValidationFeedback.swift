/// Says in words what a report comes to.
package protocol ValidationFeedback: Sendable {
  /// What `code_snapshots.validation_feedback` holds: at most `CodeLimits.feedback` characters count.
  ///
  /// - Parameters:
  ///   - report: as the author of the code may see it.
  ///   - files: of the submission, to show the lines that it is about.
  ///   - language: the learner's: `es` or `en`.
  func text(on report: ValidationReport, files: [SourceFile], language: String) -> String
}

/// The reason of the verdict alone.
package struct ReasonFeedback: ValidationFeedback {
  package init() {}

  package func text(
    on report: ValidationReport, files: [SourceFile], language: String
  ) -> String { report.reason }
}
