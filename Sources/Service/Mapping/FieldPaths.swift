internal import Contract
internal import Domain

/// The fields that an update names, all of them allowed.
struct FieldPaths: Sendable {
  private let paths: Set<String>

  /// - Throws: for a mask that is missing, empty, or names a field that the method does not write.
  init(_ mask: FieldMask?, allowed: [String]) throws(DomainError) {
    guard let mask, !mask.paths.isEmpty else {
      throw .invalid("update_mask", "must name at least one of: \(allowed.joined(separator: ", "))")
    }
    guard mask.paths.count <= 100 else { throw .invalid("update_mask", "has more than 100 paths") }
    if let unknown = mask.paths.first(where: { !allowed.contains($0) }) {
      let shown = String(unknown.unicodeScalars.prefix(64))
      throw .invalid(
        "update_mask",
        "'\(shown)' cannot be written; these can: \(allowed.joined(separator: ", "))")
    }
    paths = Set(mask.paths)
  }

  func contains(_ path: String) -> Bool { paths.contains(path) }
}
