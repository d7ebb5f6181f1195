/// Emits what the TypeScript client has of the contract: its messages with their codecs, and the typed
/// stubs of its services over the runtime's channel.
struct TypescriptClientEmitter: ClientEmitter {
  func files(_ files: [FileModel]) -> [GeneratedFile] {
    self.files(files, options: Options.Client())
  }

  func files(_ files: [FileModel], options: Options.Client) -> [GeneratedFile] {
    let modules = files.flatMap { file in
      let messages = TypescriptMessageEmitter(file: file, options: options).emit()
      let stubs = TypescriptStubEmitter(file: file, options: options).emit()
      return [
        GeneratedFile(path: Names.stem(file.path) + ".ts", text: messages),
        stubs.map { GeneratedFile(path: Names.stem(file.path) + ".client.ts", text: $0) },
      ].compactMap { $0 }
    }
    let packages = Dictionary(grouping: files, by: \.packageName).sorted { $0.key < $1.key }
    return modules + packages.map { name, members in index(of: name, members) }
  }

  /// Everything of a package under one name.
  private func index(of package: String, _ files: [FileModel]) -> GeneratedFile {
    var out = SourceWriter()
    out.line("// " + banner(for: "the files of package \(package)"))
    let path = package.split(separator: ".").joined(separator: "/") + "/index.ts"
    for file in files.sorted(by: { $0.path < $1.path }) {
      let module = TypescriptNames.module(file.path, from: path)
      out.line("export * from \"\(module).js\";")
      if !file.services.isEmpty { out.line("export * from \"\(module).client.js\";") }
    }
    return GeneratedFile(path: path, text: out.text)
  }
}

/// Emits the stubs of a file's services.
private struct TypescriptStubEmitter {
  let file: FileModel
  let options: Options.Client

  /// The file's text; nil when it declares no services.
  func emit() -> String? {
    guard !file.services.isEmpty else { return nil }
    var out = SourceWriter()
    out.line("// " + banner(for: file.path))
    let runtime = TypescriptNames.path(to: options.runtime, from: file.path)
    out.line("import type { Init } from \"\(runtime)/codec/wire.js\";")
    out.line("import { method } from \"\(runtime)/rpc/method.js\";")
    let types = Set(file.services.flatMap(\.methods).map(\.optionsType)).union(["Channel"])
    let streams = file.services.flatMap(\.methods).contains { !$0.hasOneResponse }
    let names = types.union(streams ? ["ResponseStream"] : []).sorted().joined(separator: ", ")
    out.line("import type { \(names) } from \"\(runtime)/rpc/method.js\";")
    let messages = file.services.flatMap(\.methods).flatMap { [$0.input, $0.output] }
    out.typescriptImports(messages, of: file, isOwnNeeded: true)
    for service in file.services { emit(service, &out) }
    return out.text
  }

  private func emit(_ service: ServiceModel, _ out: inout SourceWriter) {
    let name = service.name.simple
    out.line()
    out.line("/** The methods of `\(service.name.full)`. */")
    out.line("export const \(name)Methods = {")
    out.indented { out in
      for method in service.methods {
        let input = TypescriptNames.type(method.input)
        let output = TypescriptNames.type(method.output)
        out.line("\(TypescriptNames.method(method.name)): method(")
        out.indented {
          $0.line("\"\(method.path)\", \"\(method.typescriptKind)\", \(method.isReadOnly),")
          $0.line("\(input), \(output),")
        }
        out.line("),")
      }
    }
    out.line("};")
    out.line()
    out.typescriptDocumentation(
      service.comment.isEmpty ? ["`\(service.name.full)`."] : service.comment,
      isDeprecated: service.isDeprecated)
    out.block("export class \(name)Client") { out in
      out.line("protected readonly channel: Channel;")
      out.line()
      out.block("constructor(channel: Channel)") { $0.line("this.channel = channel;") }
      for method in service.methods {
        out.line()
        emit(method, of: service, &out)
      }
    }
  }

  private func emit(_ method: MethodModel, of service: ServiceModel, _ out: inout SourceWriter) {
    let input = TypescriptNames.type(method.input)
    let output = TypescriptNames.type(method.output)
    let name = TypescriptNames.method(method.name)
    out.typescriptDocumentation(method.comment, isDeprecated: method.isDeprecated)
    out.line("\(name)(")
    out.indented {
      $0.line(
        method.hasOneRequest
          ? "request: Init<\(input)>," : "requests: AsyncIterable<Init<\(input)>>,")
      $0.line("options: \(method.optionsType) = {},")
    }
    let result = method.hasOneResponse ? "Promise<\(output)>" : "ResponseStream<\(output)>"
    out.block("): \(result)") {
      let argument = method.hasOneRequest ? "request" : "requests"
      $0.line("return this.channel.\(method.channelCall)(")
      $0.indented {
        $0.line("\(service.name.simple)Methods.\(name), \(argument), options,")
      }
      $0.line(");")
    }
  }
}

enum TypescriptNames {
  /// `Goal_Label` for `hito.v1.Goal.Label`.
  static func type(_ name: ProtoName) -> String {
    let joined = name.path.joined(separator: "_")
    return hiding.contains(joined) ? joined + "Message" : joined
  }

  static func property(_ name: String) -> String { Names.lowerCamel(name) }

  static func method(_ name: String) -> String {
    let camel = Names.lowerCamel(name)
    return ["constructor", "channel"].contains(camel) ? camel + "_" : camel
  }

  /// `WORK_STATUS_PENDING` of `WorkStatus` -> `PENDING`.
  static func enumValue(_ value: String, of type: ProtoName) -> String {
    let prefix = Names.snake(type.simple).uppercased() + "_"
    let short = value.hasPrefix(prefix) ? String(value.dropFirst(prefix.count)) : value
    return short.isEmpty || short.first?.isNumber == true ? value : short
  }

  /// How a module at `file` imports what is at `target`; both are seen from the output folder.
  static func path(to target: String, from file: String) -> String {
    let depth = file.split(separator: "/").count - 1
    return (Array(repeating: "..", count: depth) + [target]).joined(separator: "/")
  }

  /// How a module at `from` imports that of a proto, without the extension.
  static func module(_ proto: String, from: String) -> String {
    let folder = { (path: String) in path.split(separator: "/").dropLast() }
    if folder(proto) == folder(from) { return "./" + Names.base(proto) }
    return path(to: Names.stem(proto), from: from)
  }

  /// Types of the language that generated modules use.
  private static let hiding: Set<String> = [
    "Array", "AsyncIterable", "Init", "Map", "Object", "Promise", "ReadonlyMap", "ResponseStream",
    "Uint8Array",
  ]
}

extension MethodModel {
  fileprivate var hasOneRequest: Bool { kind == .unary || kind == .serverStreaming }
  fileprivate var hasOneResponse: Bool { kind == .unary || kind == .clientStreaming }

  fileprivate var typescriptKind: String {
    switch kind {
    case .unary: "unary"
    case .serverStreaming: "server_stream"
    case .clientStreaming: "client_stream"
    case .bidirectional: "bidi"
    }
  }

  /// The type of the call's options (src/rpc/method.ts). A call that writes may be repeated under a key (W14).
  fileprivate var optionsType: String {
    if kind == .unary { return "UnaryOptions" }
    return isReadOnly || kind == .bidirectional ? "CallOptions" : "KeyedOptions"
  }

  /// The method of the runtime's channel that makes the call.
  fileprivate var channelCall: String {
    switch kind {
    case .unary: "unary"
    case .serverStreaming: "serverStream"
    case .clientStreaming: "clientStream"
    case .bidirectional: "bidiStream"
    }
  }
}

extension SourceWriter {
  /// A documentation comment.
  mutating func typescriptDocumentation(_ comment: [String], isDeprecated: Bool = false) {
    let note = isDeprecated ? (comment.isEmpty ? [] : [""]) + ["@deprecated In the contract."] : []
    let lines = (comment + note).map { line in
      line.split(separator: "*/", omittingEmptySubsequences: false).joined(separator: "*\\/")
    }
    if lines.count == 1, let only = lines.first {
      line("/** \(only) */")
    } else if !lines.isEmpty {
      line("/**")
      for text in lines { line(text.isEmpty ? " *" : " * " + text) }
      line(" */")
    }
  }

  /// The imports of types, one line for each file that declares some.
  mutating func typescriptImports(_ names: [ProtoName], of file: FileModel, isOwnNeeded: Bool) {
    let byFile = Dictionary(grouping: names, by: \.file).sorted { $0.key < $1.key }
    for (path, names) in byFile where isOwnNeeded || path != file.path {
      let types = Set(names.map { TypescriptNames.type($0) }).sorted().joined(separator: ", ")
      let module = TypescriptNames.module(path, from: file.path)
      line("import { \(types) } from \"\(module).js\";")
    }
  }
}
