/// One broken rule of the contract that proposals are held to.
package struct RuleViolation: Sendable, Hashable {
  /// Stable name, for example `task_count`.
  package var rule: String
  /// Path of the field.
  package var field: String
  /// What is wrong with it, in English; good enough to mend it by.
  package var description: String

  package init(rule: String, field: String, description: String) {
    self.rule = rule
    self.field = field
    self.description = description
  }
}
