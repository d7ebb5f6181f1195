/// Why the domain refuses a request. Every case is the caller's to mend; none is safe to retry
/// unchanged, except `stale` after reading again.
package enum DomainError: Error, Sendable, Hashable {
  /// One or more fields break a rule.
  case invalid([FieldViolation])
  /// There is no such entity, or this caller may not know that there is one.
  case notFound(EntityType, EntityID)
  /// The caller may see the entity, but not do this to it.
  case forbidden(String)
  /// The entity has changed since the version that the caller named.
  case stale(EntityType, EntityID, expected: Int64, actual: Int64)
  /// The entity's state does not allow this; the text says what to do first.
  case illegalTransition(EntityType, EntityID, from: String, action: String, hint: String)
  /// Something unique is taken (the text names the field).
  case alreadyExists(EntityType, field: String)
  /// A documented maximum is reached.
  case limitReached(String, maximum: Int)
}

/// One field that breaks a rule, named as in the contract (`title`, `tasks[2].title`).
package struct FieldViolation: Sendable, Hashable {
  package var field: String
  package var description: String

  package init(_ field: String, _ description: String) {
    self.field = field
    self.description = description
  }
}

/// Collects the violations of a request, so that the caller hears of all of them at once.
package struct Validation: Sendable {
  package private(set) var violations: [FieldViolation] = []

  package init() {}

  package mutating func add(_ field: String, _ description: String) {
    violations.append(FieldViolation(field, description))
  }

  /// A text of `minimum` to `maximum` Unicode scalars, free of control characters other than tab
  /// and line breaks; of a single line, as titles and names are, free of all that cannot be seen, and
  /// not blank where it is given. Counted in scalars because that is what PostgreSQL's char_length
  /// counts.
  ///
  /// - Parameter isLabel: whether a text of several lines is held to the same, line by line.
  package mutating func text(
    _ field: String, _ value: String, minimum: Int = 0, maximum: Int, singleLine: Bool = false,
    isLabel: Bool = false
  ) {
    // The byte bound first: counting the scalars of a huge text is itself work.
    guard value.utf8.count <= maximum * 4, value.unicodeScalars.count <= maximum else {
      return add(field, "is longer than \(maximum) characters")
    }
    let isRequired = minimum > 0 || (singleLine || isLabel) && !value.isEmpty
    if isRequired, InvisibleCharacters.isBlank(value) { return add(field, "must not be empty") }
    if value.unicodeScalars.count < minimum {
      return add(field, "is shorter than \(minimum) characters")
    }
    let isClean = value.unicodeScalars.allSatisfy { scalar in
      if !singleLine, scalar == "\n" || scalar == "\r" || scalar == "\t" { return true }
      return !scalar.isControl
    }
    if !isClean { return add(field, "contains control characters") }
    let lines =
      singleLine
      ? [value]
      : isLabel
        ? value.unicodeScalars.split { "\n\r\t".unicodeScalars.contains($0) }.map(String.init) : []
    if lines.contains(where: InvisibleCharacters.areIn) {
      add(field, "contains invisible characters: write it without them")
    }
  }

  package func check() throws(DomainError) {
    if !violations.isEmpty { throw .invalid(violations) }
  }
}
