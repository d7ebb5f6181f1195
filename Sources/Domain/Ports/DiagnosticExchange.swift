/// Diagnostics in the form in which tools exchange them: SARIF 2.1.0 as JSON.
package protocol DiagnosticExchange: Sendable {
  func text(of report: ValidationReport) -> String
  /// What a log says of code; nil where the text is none, or says too much.
  ///
  /// - Parameter files: of the submission, to count columns in.
  func diagnostics(in text: String, of files: [SourceFile]) -> [Diagnostic]?
}
