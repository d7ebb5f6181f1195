internal import Domain
internal import Retrieval

/// Why a single document cannot be taken in.
enum Refusal {
  /// Nil where the error is not about the document: then the others would fail like it.
  static func reason(of error: DomainError) -> String? {
    switch error {
    case .invalid(let violations):
      violations.map { violation in
        // `document[path].content` is not UTF-8: the path is said already.
        let field = violation.field.split(separator: ".").last.map(String.init) ?? ""
        return field.isEmpty || field.contains("]")
          ? violation.description : "\(field) \(violation.description)"
      }.joined(separator: "; ")
    case .limitReached(ChunkPlan.limitName, let maximum):
      "has more than \(maximum) parts"
    default: nil
    }
  }
}
