/// Emits the typed C stubs of a file's services: functions over the runtime's calls (clients/c).
struct CClientEmitter: ClientEmitter {
  func files(_ files: [FileModel]) -> [GeneratedFile] {
    let withServices = files.filter { !$0.services.isEmpty }
    let stubs = withServices.flatMap { file in
      let stem = Names.stem(file.path) + "_client"
      return [
        GeneratedFile(path: stem + ".h", text: header(file)),
        GeneratedFile(path: stem + ".c", text: source(file)),
      ]
    }
    let packages = Dictionary(grouping: withServices, by: { CStubNames.prefix($0) })
    return stubs
      + packages.sorted { $0.key < $1.key }.map { prefix, members in
        GeneratedFile(path: prefix + "/services.h", text: umbrella(prefix, members))
      }
  }

  private func umbrella(_ prefix: String, _ files: [FileModel]) -> String {
    var out = SourceWriter(unit: "    ")
    out.line("/* " + banner(for: "the files of \(prefix)") + " */")
    out.line("#pragma once")
    out.line()
    out.lines(files.map { "#include \"\(Names.stem($0.path))_client.h\"" }.sorted())
    return out.text
  }

  private func header(_ file: FileModel) -> String {
    var out = SourceWriter(unit: "    ")
    out.line("/* " + banner(for: file.path) + " */")
    out.line("#pragma once")
    out.line()
    out.line("#include \"hito/call.h\"")
    let methods = file.services.flatMap(\.methods)
    let messages = Set(methods.flatMap { [$0.input.file, $0.output.file] })
    out.lines(messages.map { "#include \"\(Names.stem($0)).pb-c.h\"" }.sorted())
    out.line()
    out.line("HITO_BEGIN_DECLS")
    for service in file.services {
      out.line()
      out.comment("/*", ["\(service.name.full)"] + service.comment)
      for method in service.methods {
        declare(CStub(method, of: service, in: file), &out)
      }
    }
    out.line()
    out.line("HITO_END_DECLS")
    return out.text
  }

  private func declare(_ stub: CStub, _ out: inout SourceWriter) {
    let note = stub.method.isDeprecated ? ["", "Deprecated in the contract."] : []
    out.line()
    out.comment("/**", stub.method.comment + note)
    for (index, function) in stub.functions.enumerated() {
      if index > 0 { out.comment("/**", [function.comment]) }
      out.signature("HITO_API " + function.result + function.name, function.parameters, end: ";")
    }
    out.comment("/**", ["Describes \(stub.method.path)."])
    out.line("extern HITO_API const hito_method \(stub.name)_method;")
  }

  private func source(_ file: FileModel) -> String {
    var out = SourceWriter(unit: "    ")
    out.line("/* " + banner(for: file.path) + " */")
    out.line("#include \"\(Names.stem(file.path))_client.h\"")
    for service in file.services {
      for method in service.methods {
        define(CStub(method, of: service, in: file), &out)
      }
    }
    return out.text
  }

  private func define(_ stub: CStub, _ out: inout SourceWriter) {
    let isReadOnly = stub.method.isReadOnly ? "true" : "false"
    out.line()
    out.line("const hito_method \(stub.name)_method = {")
    out.indented {
      $0.line("\"\(stub.method.path)\", \(stub.kind), \(isReadOnly),")
      $0.line("&\(CStubNames.descriptor(stub.method.input)),")
      $0.line("&\(CStubNames.descriptor(stub.method.output)),")
    }
    out.line("};")
    for function in stub.functions {
      out.line()
      out.signature(function.result + function.name, function.parameters, end: " {")
      out.indented { $0.lines(function.body) }
      out.line("}")
    }
  }
}

/// The functions of one method.
private struct CStub {
  struct Function {
    var name: String
    var comment: String
    /// With a space behind, or a star.
    var result: String
    var parameters: [String]
    var body: [String]
  }

  let method: MethodModel
  /// `hito_goals_create_goal`.
  let name: String

  init(_ method: MethodModel, of service: ServiceModel, in file: FileModel) {
    self.method = method
    name = CStubNames.group(service, in: file) + "_" + Names.snake(method.name)
  }

  var kind: String {
    switch method.kind {
    case .unary: "HITO_UNARY"
    case .serverStreaming: "HITO_SERVER_STREAM"
    case .clientStreaming: "HITO_CLIENT_STREAM"
    case .bidirectional: "HITO_BIDI"
    }
  }

  /// The first is the call itself, which has the contract's comment.
  var functions: [Function] {
    switch method.kind {
    case .unary: [unary, begin("_begin"), read("take")]
    case .serverStreaming: [begin(""), read("next"), read("take")]
    case .clientStreaming: [begin(""), send("send"), send("try_send"), finish, read("take")]
    case .bidirectional:
      [begin(""), send("send"), send("try_send"), read("next"), read("take")]
    }
  }

  private var input: String { CNames.type(method.input) }
  private var output: String { CNames.type(method.output) }
  private var hasOneRequest: Bool { method.kind == .unary || method.kind == .serverStreaming }

  private var unary: Function {
    Function(
      name: name, comment: "", result: "hito_status ",
      parameters: [
        "hito_client *client", "const \(input) *request", "const hito_call_options *options",
        "\(output) **response", "hito_error **error",
      ],
      body: [
        "ProtobufCMessage *message = NULL;",
        "hito_status status = hito_call_unary(",
        "    client, &\(name)_method, (const ProtobufCMessage *)request, options, &message, error);",
        "*response = (\(output) *)message;", "return status;",
      ])
  }

  private func begin(_ suffix: String) -> Function {
    let request = hasOneRequest ? "(const ProtobufCMessage *)request" : "NULL"
    return Function(
      name: name + suffix,
      comment: "Begins it and waits for nothing; `\(name)_take` has its response.",
      result: "hito_call *",
      parameters: ["hito_client *client"] + (hasOneRequest ? ["const \(input) *request"] : [])
        + ["const hito_call_options *options", "hito_error **error"],
      body: ["return hito_call_begin(client, &\(name)_method, \(request), options, error);"])
  }

  private func read(_ verb: String) -> Function {
    Function(
      name: name + "_" + verb,
      comment: verb == "take"
        ? "The next response, if it is there; never waits." : "The next response; waits for it.",
      result: "hito_step ",
      parameters: ["hito_call *call", "\(output) **response", "hito_error **error"],
      body: [
        "ProtobufCMessage *message = NULL;", "*response = NULL;",
        "if (!hito_call_is_of(call, &\(name)_method, error)) return HITO_STEP_ERROR;",
        "hito_step step = hito_call_\(verb)(call, &message, error);",
        "*response = (\(output) *)message;", "return step;",
      ])
  }

  private func send(_ verb: String) -> Function {
    Function(
      name: name + "_" + verb,
      comment: verb == "send"
        ? "Sends a request; waits for room. False only with an error."
        : "Sends a request if there is room; never waits.",
      result: "bool ",
      parameters: ["hito_call *call", "const \(input) *request", "hito_error **error"],
      body: [
        "return hito_call_is_of(call, &\(name)_method, error) &&",
        "       hito_call_\(verb)(call, (const ProtobufCMessage *)request, error);",
      ])
  }

  private var finish: Function {
    Function(
      name: name + "_finish",
      comment: "Says that no more requests follow, and waits for the response.",
      result: "hito_status ",
      parameters: ["hito_call *call", "\(output) **response", "hito_error **error"],
      body: [
        "ProtobufCMessage *message = NULL;", "*response = NULL;",
        "if (!hito_call_is_of(call, &\(name)_method, error)) return HITO_INVALID_ARGUMENT;",
        "hito_status status = hito_call_finish(call, &message, error);",
        "*response = (\(output) *)message;", "return status;",
      ])
  }
}

private enum CStubNames {
  /// `hito` of `hito.v1`.
  static func prefix(_ file: FileModel) -> String {
    String(file.packageName.split(separator: ".").first ?? "hito")
  }

  /// `hito_goals` of GoalService in goals.proto, `hito_health` of HealthService in server.proto.
  static func group(_ service: ServiceModel, in file: FileModel) -> String {
    let simple = service.name.simple
    let name = Names.snake(
      simple.hasSuffix("Service") ? String(simple.dropLast("Service".count)) : simple)
    let base = Names.base(file.path)
    return prefix(file) + "_" + (base.hasPrefix(name) ? base : name)
  }

  static func descriptor(_ name: ProtoName) -> String {
    String(CNames.initializer(name).dropLast("__init".count)) + "__descriptor"
  }
}

extension SourceWriter {
  /// A C comment; `opening` is `/*` or `/**`.
  fileprivate mutating func comment(_ opening: String, _ lines: [String]) {
    let safe = lines.map {
      $0.split(separator: "*/", omittingEmptySubsequences: false).joined(separator: "* /")
    }
    guard let first = safe.first else { return }
    if safe.count == 1 { return line("\(opening) \(first) */") }
    line("\(opening) \(first)")
    for (index, text) in safe.enumerated().dropFirst() {
      let end = index == safe.count - 1 ? " */" : ""
      line(text.isEmpty ? " *" + end : " * " + text + end)
    }
  }

  fileprivate mutating func signature(_ head: String, _ parameters: [String], end: String) {
    let single = head + "(" + parameters.joined(separator: ", ") + ")" + end
    if single.count <= 100 { return line(single) }
    line(head + "(")
    indented { out in
      var items = parameters
      items[items.count - 1] += ")" + end
      out.filled(items)
    }
  }
}
