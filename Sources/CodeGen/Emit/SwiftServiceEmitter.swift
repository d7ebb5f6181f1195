/// Emits the Swift side of a file's services: method descriptors, handler protocols, client stubs.
struct SwiftServiceEmitter {
  let options: Options.Swift
  private var out = SourceWriter()

  init(options: Options.Swift) {
    self.options = options
  }

  /// The file's text; nil when it declares no services.
  mutating func emit(_ file: FileModel) -> String? {
    guard !file.services.isEmpty else { return nil }
    out = SourceWriter()
    out.line("// " + banner(for: file.path))
    out.line()
    out.lines(options.imports)
    out.line(options.rpcImport)
    for service in file.services {
      out.line()
      emitMethods(service)
      if service.isImplemented {
        out.line()
        emitHandler(service)
      }
      out.line()
      emitRegistration(service)
      out.line()
      emitClient(service)
    }
    return out.text
  }

  private mutating func emitMethods(_ service: ServiceModel) {
    out.line("/// The methods of `\(service.name.full)`.")
    out.block("\(options.publicAccess)enum \(service.name.simple)Methods") { out in
      for method in service.methods {
        out.line("\(options.publicAccess)static let \(method.swiftName) = MethodDescriptor(")
        out.indented {
          $0.filled([
            "path: \"\(method.path)\"", "kind: .\(method.kindName)",
            "isReadOnly: \(method.isReadOnly),",
          ])
          $0.filled(method.rule.swiftArguments)
        }
      }
      out.line()
      out.line("/// All of them, in the order of the contract.")
      out.line("\(options.publicAccess)static var all: [MethodDescriptor] {")
      out.indented { $0.array(service.methods.map { $0.swiftName }) }
      out.line("}")
    }
  }

  /// What a server implements: the compiler misses a method that is left out.
  private mutating func emitHandler(_ service: ServiceModel) {
    out.documentation(service.comment, isDeprecated: service.isDeprecated)
    out.block("\(options.packageAccess)protocol \(service.name.simple)Handler: Sendable") { out in
      let methods = service.methods.filter(\.rule.isImplemented)
      for (index, method) in methods.enumerated() {
        if index > 0 { out.line() }
        out.documentation(method.comment, isDeprecated: method.isDeprecated)
        out.lines(method.handlerSignature)
      }
    }
  }

  private mutating func emitRegistration(_ service: ServiceModel) {
    let access = options.packageAccess + (service.isImplemented ? "" : "static ")
    let name = service.name.simple + (service.isImplemented ? "Handler" : "Methods")
    out.block("extension \(name)") { out in
      out.line(
        service.isImplemented
          ? "/// Makes the router serve every method of the service with this handler."
          : "/// Makes the router answer every method of the service, which no server has yet.")
      out.block("\(access)func register(in router: inout Router) throws(RegistrationError)") {
        out in
        for method in service.methods { Self.emitRegistration(of: method, in: service, &out) }
      }
    }
  }

  private static func emitRegistration(
    of method: MethodModel, in service: ServiceModel, _ out: inout SourceWriter
  ) {
    let descriptor = method.descriptor(in: service)
    guard method.rule.isImplemented else {
      return out.line("try router.unimplemented(\(descriptor))")
    }
    let parameters = method.handlerParameters.map(\.label)
    out.line("try router.\(method.kindName)(\(descriptor)) {")
    out.indented { out in
      out.lines(method.closureParameters)
      let call = "self.\(SwiftNames.member(method.plainSwiftName))"
      out.line("try await \(call)(\(parameters.joined(separator: ", ")))")
    }
    out.line("}")
  }

  private mutating func emitClient(_ service: ServiceModel) {
    out.documentation(service.comment, isDeprecated: service.isDeprecated)
    out.block("\(options.publicAccess)struct \(service.name.simple)Client: Sendable") { out in
      out.line("private let transport: any ClientTransport")
      out.line()
      out.line("/// A stub that calls through `transport`.")
      out.block("\(options.publicAccess)init(_ transport: any ClientTransport)") {
        $0.line("self.transport = transport")
      }
      for method in service.methods {
        out.line()
        out.documentation(method.comment, isDeprecated: method.isDeprecated)
        Self.emitClientMethod(method, of: service, options, &out)
      }
    }
  }

  private static func emitClientMethod(
    _ method: MethodModel, of service: ServiceModel, _ options: Options.Swift,
    _ out: inout SourceWriter
  ) {
    let input = SwiftNames.type(method.input)
    let output = SwiftNames.type(method.output)
    let descriptor = method.descriptor(in: service)
    let request: (parameter: String, argument: String)
    let result: String
    switch method.kind {
    case .unary: (request, result) = (("_ request: \(input), ", "request"), output)
    case .serverStreaming:
      (request, result) = (("_ request: \(input), ", "request"), "ResponseStream<\(output)>")
    case .clientStreaming:
      request = ("", "sending: \(input).self")
      result = "ClientStreamingCall<\(input), \(output)>"
    case .bidirectional:
      request = ("", "sending: \(input).self")
      result = "BidirectionalCall<\(input), \(output)>"
    }
    out.line("\(options.publicAccess)func \(method.swiftName)(")
    out.indented { $0.line("\(request.parameter)options: CallOptions = CallOptions()") }
    out.block(") async throws(RPCError) -> \(result)") { out in
      out.line("try await transport.\(method.kindName)(")
      out.indented {
        $0.filled([descriptor, request.argument, "returning: \(output).self", "options: options)"])
      }
    }
  }
}

extension ServiceModel {
  /// Whether there is anything for a handler to do.
  fileprivate var isImplemented: Bool { methods.contains(where: \.rule.isImplemented) }
}

extension MethodRuleModel {
  /// `rule: MethodRule(callers: .users, cost: .rows, timeout: .seconds(30)))`, which ends the
  /// descriptor too.
  fileprivate var swiftArguments: [String] {
    let timeout = timeoutSeconds.map { ".seconds(\($0))" } ?? "nil"
    let end = isImplemented ? [] : ["isImplemented: false"]
    var arguments =
      ["rule: MethodRule(callers: .\(callers)", "cost: .\(cost)", "timeout: \(timeout)"] + end
    arguments[arguments.count - 1] += "))"
    return arguments
  }
}

extension MethodModel {
  var plainSwiftName: String { Names.lowerCamel(name) }
  var swiftName: String { SwiftNames.escaped(plainSwiftName) }

  /// `GoalServiceMethods.createGoal`.
  fileprivate func descriptor(in service: ServiceModel) -> String {
    "\(service.name.simple)Methods.\(SwiftNames.member(plainSwiftName))"
  }

  var kindName: String {
    switch kind {
    case .unary: "unary"
    case .serverStreaming: "serverStreaming"
    case .clientStreaming: "clientStreaming"
    case .bidirectional: "bidirectional"
    }
  }

  fileprivate var handlerParameters: [(label: String, type: String)] {
    let input = SwiftNames.type(self.input)
    let output = SwiftNames.type(self.output)
    let context = ("context", "CallContext")
    return switch kind {
    case .unary: [("request", input), context]
    case .serverStreaming:
      [("request", input), context, ("responses", "ResponseWriter<\(output)>")]
    case .clientStreaming: [("requests", "RequestStream<\(input)>"), context]
    case .bidirectional:
      [
        ("requests", "RequestStream<\(input)>"), context,
        ("responses", "ResponseWriter<\(output)>"),
      ]
    }
  }

  fileprivate var handlerSignature: [String] {
    let parameters = handlerParameters.map { "_ \($0.label): \($0.type)" }.joined(separator: ", ")
    let result =
      switch kind {
      case .unary, .clientStreaming: " -> \(SwiftNames.type(output))"
      case .serverStreaming, .bidirectional: ""
      }
    let whole = "func \(swiftName)(\(parameters)) async throws\(result)"
    // Room for the indentation, for `package ` and for ` {`.
    if whole.count <= 88 { return [whole] }
    let lines =
      parameters.count <= 94
      ? ["  " + parameters]
      : handlerParameters.enumerated().map { index, parameter in
        let separator = index == handlerParameters.count - 1 ? "" : ","
        return "  _ \(parameter.label): \(parameter.type)\(separator)"
      }
    return ["func \(swiftName)("] + lines + [") async throws\(result)"]
  }

  /// The parameter list of the closure that the router keeps.
  fileprivate var closureParameters: [String] {
    let parameters = handlerParameters.map { "\($0.label): \($0.type)" }
    let whole = "(\(parameters.joined(separator: ", "))) in"
    if whole.count <= 92 { return [whole] }
    let lines = parameters.enumerated().map { index, parameter in
      "  " + parameter + (index == parameters.count - 1 ? "" : ",")
    }
    return ["("] + lines + [") in"]
  }
}
