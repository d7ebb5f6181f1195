internal import Contract
package import Domain
internal import RPC

/// What a token can be limited to. A call is let through where any scope of its token covers it:
///
/// - `read`: every method that only reads
/// - `GoalService`: every method of a service
/// - `GoalService/GetGoal`: one method
package enum TokenScopes {
  static let countMax = 50

  static func allow(_ scopes: [String], _ method: MethodDescriptor) -> Bool {
    if scopes.isEmpty { return true }
    return scopes.contains { covers($0, method) }
  }

  /// Refuses scopes that cover nothing, and those that the caller's own token does not have.
  package static func check(_ scopes: [String], grantedBy own: [String]) throws(DomainError) {
    guard scopes.count <= countMax else {
      throw .invalid("scopes", "has more than \(countMax) entries")
    }
    for (index, scope) in scopes.enumerated() {
      let covered = ContractMethods.all.filter { covers(scope, $0) }
      guard !covered.isEmpty else {
        throw .invalid(
          "scopes[\(index)]",
          "must be read, a service (GoalService) or a method "
            + "(GoalService/GetGoal)")
      }
      guard covered.allSatisfy({ allow(own, $0) }) else {
        throw .forbidden("a token cannot grant more than it has")
      }
    }
    if scopes.isEmpty, !own.isEmpty {
      throw .forbidden("a token of limited scopes can only make tokens of limited scopes")
    }
  }

  private static func covers(_ scope: String, _ method: MethodDescriptor) -> Bool {
    if scope == "read" { return method.isReadOnly }
    let path = method.path.dropFirst(ContractMethods.package.count)
    return path == scope || path.prefix { $0 != "/" } == scope
  }
}
