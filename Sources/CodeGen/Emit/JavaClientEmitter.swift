/// Emits the typed Java stubs of each service, over the runtime's channel: one class whose calls block, and one
/// of futures and publishers.
struct JavaClientEmitter: ClientEmitter {
  func files(_ files: [FileModel]) -> [GeneratedFile] {
    let names = JavaNames(files)
    return files.flatMap { file in
      file.services.flatMap { service in
        [JavaClientStyle.blocking, .async].map { style in
          let name = service.name.simple + style.suffix
          let folder = file.packageName.split(separator: ".").joined(separator: "/")
          let stub = JavaStub(file: file, service: service, style: style, names: names)
          return GeneratedFile(path: "\(folder)/\(name).java", text: stub.text)
        }
      }
    }
  }
}

private enum JavaClientStyle {
  case blocking, async

  var suffix: String {
    switch self {
    case .blocking: "Client"
    case .async: "AsyncClient"
    }
  }
}

/// One class of stubs.
private struct JavaStub {
  let file: FileModel
  let service: ServiceModel
  let style: JavaClientStyle
  let names: JavaNames

  var text: String {
    var out = SourceWriter()
    out.line("// " + banner(for: file.path))
    out.line("package \(file.packageName);")
    out.line()
    out.lines(imports.map { "import \($0);" })
    out.line()
    let about = service.comment.isEmpty ? ["`\(service.name.full)`."] : service.comment
    let note =
      style == .blocking
      ? "Calls block; {@link #async} has the same with futures and publishers."
      : "Calls return futures and publishers; {@link \(blocking)} has the same blocking."
    out.javadoc(about, tags: [], note: note, isDeprecated: service.isDeprecated)
    if service.isDeprecated { out.line("@Deprecated") }
    out.block("public class \(name)") { out in
      if style == .blocking { emitMethods(&out) }
      out.line("/** What the calls go through. */")
      out.line("protected final Channel channel;")
      out.line()
      out.line("/** Over a channel of the runtime. */")
      out.block("public \(name)(Channel channel)") { $0.line("this.channel = channel;") }
      if style == .blocking { emitAsync(&out) }
      for method in service.methods { emit(method, &out) }
    }
    return out.text
  }

  private var name: String { service.name.simple + style.suffix }
  private var blocking: String { service.name.simple + JavaClientStyle.blocking.suffix }

  private var imports: [String] {
    var imports: Set<String> = ["hito.CallOptions", "hito.Channel"]
    if style == .blocking { imports.insert("hito.Method") }
    for kind in service.methods.map(\.kind) {
      switch (style, kind) {
      case (.blocking, .serverStreaming): imports.insert("hito.ResponseStream")
      case (.blocking, .bidirectional): imports.insert("hito.BidiStream")
      case (.async, .unary): imports.insert("java.util.concurrent.CompletableFuture")
      case (.async, .clientStreaming):
        imports.formUnion(["java.util.concurrent.CompletableFuture", "java.util.concurrent.Flow"])
      case (.async, .serverStreaming), (.async, .bidirectional):
        imports.insert("java.util.concurrent.Flow")
      case (.blocking, .unary), (.blocking, .clientStreaming): break
      }
    }
    return imports.sorted()
  }

  /// What the runtime knows of the methods.
  private func emitMethods(_ out: inout SourceWriter) {
    for method in service.methods {
      let types = "\(type(method.input)), \(type(method.output))"
      out.line("/** {@code \(method.path)}. */")
      if method.isDeprecated { out.line("@Deprecated") }
      out.line("public static final Method<\(types)> \(constant(method)) =")
      out.indented { out in
        out.line("  Method.of(")
        out.line("      \"\(method.path)\",")
        out.line("      Method.Kind.\(method.javaKind),")
        out.line("      \(method.isReadOnly ? "true" : "false"),")
        out.line("      \(type(method.input)).parser(),")
        out.line("      \(type(method.output)).parser());")
      }
      out.line()
    }
  }

  private func emitAsync(_ out: inout SourceWriter) {
    let other = service.name.simple + JavaClientStyle.async.suffix
    out.line()
    out.line("/** The same calls with futures and publishers. */")
    out.block("public \(other) async()") { $0.line("return new \(other)(channel);") }
  }

  private func emit(_ method: MethodModel, _ out: inout SourceWriter) {
    let javaName = JavaNames.method(method.name)
    let argument = argument(of: method)
    for hasOptions in [false, true] {
      out.line()
      // A constant that is deprecated is used in its own class and beside it.
      let tags = hasOptions ? ["@param options what is special about this call"] : []
      out.javadoc(method.comment, tags: tags, isDeprecated: method.isDeprecated)
      if method.isDeprecated { out.line("@Deprecated") }
      let options = hasOptions ? "CallOptions options" : ""
      let parameters = [argument.map { "\($0.type) \($0.name)" } ?? "", options]
      let list = parameters.filter { !$0.isEmpty }.joined(separator: ", ")
      let single = "public \(result(of: method)) \(javaName)(\(list)) {"
      if single.count + 2 <= 100 {
        out.line(single)
      } else {
        out.line("public \(result(of: method)) \(javaName)(")
        out.line("    \(list)) {")
      }
      out.indented { out in
        let name = argument.map { $0.name + ", " } ?? ""
        if hasOptions {
          let constant = style == .blocking ? constant(method) : "\(blocking).\(constant(method))"
          out.line("return channel.\(call(of: method))(\(constant), \(name)options);")
        } else {
          out.line("return \(javaName)(\(name)CallOptions.DEFAULT);")
        }
      }
      out.line("}")
    }
  }

  private func argument(of method: MethodModel) -> (type: String, name: String)? {
    let input = type(method.input)
    switch (style, method.kind) {
    case (_, .unary), (_, .serverStreaming): return (input, "request")
    case (.blocking, .clientStreaming): return ("Iterable<\(input)>", "requests")
    case (.blocking, .bidirectional): return nil
    case (.async, _): return ("Flow.Publisher<\(input)>", "requests")
    }
  }

  private func result(of method: MethodModel) -> String {
    let output = type(method.output)
    switch (style, method.kind) {
    case (.blocking, .unary), (.blocking, .clientStreaming): return output
    case (.blocking, .serverStreaming): return "ResponseStream<\(output)>"
    case (.blocking, .bidirectional): return "BidiStream<\(type(method.input)), \(output)>"
    case (.async, .unary), (.async, .clientStreaming): return "CompletableFuture<\(output)>"
    case (.async, _): return "Flow.Publisher<\(output)>"
    }
  }

  /// The method of the runtime's channel that makes the call.
  private func call(of method: MethodModel) -> String {
    let name =
      switch method.kind {
      case .unary: "unary"
      case .serverStreaming: "serverStream"
      case .clientStreaming: "clientStream"
      case .bidirectional: "bidiStream"
      }
    return style == .blocking ? name : name + "Async"
  }

  private func type(_ name: ProtoName) -> String { names.type(name, in: file.packageName) }

  private func constant(_ method: MethodModel) -> String { Names.snake(method.name).uppercased() }
}

/// How protoc's Java messages are called.
struct JavaNames {
  /// The class around the messages of each file.
  private let outer: [String: String]

  init(_ files: [FileModel]) {
    outer = Dictionary(files.map { ($0.path, Self.outer(of: $0)) }, uniquingKeysWith: { $1 })
  }

  /// `Goals.Goal.Label`, with the package in front where it is another one.
  func type(_ name: ProtoName, in package: String) -> String {
    // The files of google.protobuf say that each message has a file of its own.
    if name.packageName == "google.protobuf" {
      return (["com.google.protobuf"] + name.path).joined(separator: ".")
    }
    let outer = self.outer[name.file] ?? Self.camel(Names.base(name.file))
    let type = ([outer] + name.path).joined(separator: ".")
    return name.packageName == package ? type : "\(name.packageName).\(type)"
  }

  static func method(_ name: String) -> String {
    let camel = Names.lowerCamel(name)
    return keywords.contains(camel) ? camel + "_" : camel
  }

  /// protoc gives the class another name where something in the file has its own.
  private static func outer(of file: FileModel) -> String {
    let name = camel(Names.base(file.path))
    var used = Set(file.enums.map(\.name.simple) + file.services.map(\.name.simple))
    var messages = file.messages
    while let message = messages.popLast() {
      used.insert(message.name.simple)
      used.formUnion(message.enums.map(\.name.simple))
      messages += message.messages
    }
    return used.contains(name) ? name + "OuterClass" : name
  }

  private static func camel(_ name: String) -> String {
    let lower = Names.lowerCamel(name)
    return lower.prefix(1).uppercased() + lower.dropFirst()
  }

  /// What a method may not be called, names of `Object` and of the stubs among it.
  private static let keywords: Set<String> = [
    "abstract", "assert", "async", "boolean", "break", "byte", "case", "catch", "char", "class",
    "const", "continue", "default", "do", "double", "else", "enum", "extends", "final", "finally",
    "float", "for", "getClass", "goto", "if", "implements", "import", "instanceof", "int",
    "interface", "long", "native", "new", "notify", "notifyAll", "package", "private",
    "protected", "public", "return", "short", "static", "strictfp", "super", "switch",
    "synchronized", "this", "throw", "throws", "transient", "try", "void", "volatile", "wait",
    "while",
  ]
}

extension MethodModel {
  fileprivate var javaKind: String {
    switch kind {
    case .unary: "UNARY"
    case .serverStreaming: "SERVER_STREAM"
    case .clientStreaming: "CLIENT_STREAM"
    case .bidirectional: "BIDI"
    }
  }
}

extension SourceWriter {
  /// A javadoc comment; `note` and `tags` are javadoc already.
  fileprivate mutating func javadoc(
    _ comment: [String], tags: [String], note: String = "", isDeprecated: Bool = false
  ) {
    var lines = Javadoc.lines(comment)
    if !note.isEmpty { lines += (lines.isEmpty ? [] : ["", "<p>"]) + [note] }
    let tags = tags + (isDeprecated ? ["@deprecated in the contract"] : [])
    if !tags.isEmpty { lines += (lines.isEmpty ? [] : [""]) + tags }
    guard !lines.isEmpty else { return }
    if lines.count == 1, let only = lines.first {
      line("/** \(only) */")
      return
    }
    line("/**")
    for text in lines { line(text.isEmpty ? " *" : " * " + text) }
    line(" */")
  }
}

private enum Javadoc {
  /// A comment of the contract as HTML: paragraphs, and code where it has backquotes.
  static func lines(_ comment: [String]) -> [String] {
    let text = comment.joined(separator: "\n")
    let parts = text.split(separator: "`", omittingEmptySubsequences: false).map(String.init)
    let isBalanced = parts.count % 2 == 1
    let html = parts.enumerated().map { index, part in
      if !isBalanced { return escaped(part) + (index + 1 < parts.count ? "`" : "") }
      return index % 2 == 0 ? escaped(part) : code(part)
    }
    var lines: [String] = []
    for line in html.joined().split(separator: "\n", omittingEmptySubsequences: false) {
      if lines.last == "" { lines.append("<p>") }
      lines.append(String(line))
    }
    return lines == [""] ? [] : lines
  }

  private static func code(_ text: String) -> String {
    let isPlain = text.allSatisfy { !"{}\\@*".contains($0) }
    return isPlain ? "{@code \(text)}" : "<code>\(escaped(text))</code>"
  }

  private static func escaped(_ text: String) -> String {
    text.map { entities[$0] ?? String($0) }.joined()
  }

  /// Also what javac or javadoc would take for its own.
  private static let entities: [Character: String] = [
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "\\": "&#92;", "*": "&#42;",
    "{": "&#123;", "}": "&#125;",
  ]
}
