internal import Contract
package import Domain
internal import RPC

/// What a token can be limited to. A call is let through where any scope of its token covers its
/// method (`MethodDescriptor.scopes`):
///
/// - `read`: every method that only reads
/// - `GoalService`: every method of a service
/// - `GoalService/GetGoal`: one method
package enum TokenScopes {
  static let countMax = 50

  /// Refuses scopes that cover nothing, and those that the caller's own token does not have.
  package static func check(_ scopes: [String], grantedBy own: [String]) throws(DomainError) {
    guard scopes.count <= countMax else {
      throw .invalid("scopes", "has more than \(countMax) entries")
    }
    for (index, scope) in scopes.enumerated() {
      let covered = ContractMethods.all.filter { $0.scopes.contains(scope) }
      guard !covered.isEmpty else {
        throw .invalid(
          "scopes[\(index)]",
          "must be read, a service (GoalService) or a method "
            + "(GoalService/GetGoal)")
      }
      guard covered.allSatisfy({ isCovered($0, by: own) }) else {
        throw .forbidden("a token cannot grant more than it has")
      }
    }
    if scopes.isEmpty, !own.isEmpty {
      throw .forbidden("a token of limited scopes can only make tokens of limited scopes")
    }
  }

  private static func isCovered(_ method: MethodDescriptor, by scopes: [String]) -> Bool {
    scopes.isEmpty || method.scopes.contains(where: scopes.contains)
  }
}
