/// Lets a call in or refuses it, by the rule of its method: the caller's token, role and scopes. The
/// router puts it around every method.
struct AccessInterceptor: ServerInterceptor {
  func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard rule.callers != .anybody else { return next }
    let roles = rule.callers.roles
    let scopes = method.scopes
    let refusal = "only \(rule.callers.description) may call this method"
    return { context, call in
      try Self.check(context, roles, scopes, refusal)
      return try await next(context, call)
    }
  }

  /// Apart from what awaits the call: what it needs would be kept as long as the call lasts.
  @inline(never) private static func check(
    _ context: CallContext, _ roles: [Principal.Role], _ scopes: [String], _ refusal: String
  ) throws(RPCError) {
    let principal = try context.requirePrincipal()
    guard principal.scopes.isEmpty || principal.scopes.contains(where: scopes.contains) else {
      throw RPCError(.permissionDenied, RPCError.outsideScopes)
    }
    guard roles.contains(principal.role) else { throw RPCError(.permissionDenied, refusal) }
  }
}

extension MethodRule.Callers {
  /// The roles that may call.
  package var roles: [Principal.Role] {
    switch self {
    case .anybody, .users: [.learner, .instructor, .service, .admin]
    case .instructors: [.instructor, .service, .admin]
    case .services: [.service, .admin]
    case .admins: [.admin]
    }
  }

  fileprivate var description: String {
    switch self {
    case .anybody, .users: "users"
    case .instructors: "instructors, services and admins"
    case .services: "services and admins"
    case .admins: "admins"
    }
  }
}

extension MethodDescriptor {
  /// What a token may be limited to so that it covers the method: `read` where it only reads, its
  /// service (`GoalService`), itself (`GoalService/GetGoal`).
  package var scopes: [String] {
    let service = service.split(separator: ".").last ?? ""
    return (isReadOnly ? ["read"] : []) + [String(service), "\(service)/\(name)"]
  }
}
