/// Emits the Rust of a package: messages for prost's derive macros, the typed stubs of its services over the
/// runtime's channel, and the module that has both under one name.
struct RustClientEmitter: ClientEmitter {
  func files(_ files: [FileModel]) -> [GeneratedFile] {
    let messages = RustMessageEmitter()
    let sources = files.flatMap { file in
      [
        messages.emit(file).map {
          GeneratedFile(path: Names.stem(file.path) + "_messages.rs", text: $0)
        },
        emit(file).map { GeneratedFile(path: Names.stem(file.path) + "_client.rs", text: $0) },
      ].compactMap { $0 }
    }
    let packages = Dictionary(grouping: files, by: \.packageName).sorted { $0.key < $1.key }
    return sources
      + packages.map { name, members in
        let folder = name.split(separator: ".").joined(separator: "/")
        return GeneratedFile(
          path: folder + "/mod.rs", text: package(name, members.sorted { $0.path < $1.path }))
      }
  }

  /// The package's module: every message, enum and client under one name.
  private func package(_ name: String, _ files: [FileModel]) -> String {
    var out = SourceWriter(unit: "    ")
    out.line("// " + banner(for: "the files of package \(name)"))
    out.line()
    out.line("//! Messages and clients of `\(name)`.")
    out.line()
    // The contract's comments are not written for rustdoc, nor its names for clippy.
    out.line("#![allow(clippy::doc_lazy_continuation, clippy::doc_overindented_list_items)]")
    out.line("#![allow(clippy::enum_variant_names, clippy::large_enum_variant)]")
    out.line("#![allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links)]")
    out.line("#![allow(rustdoc::invalid_html_tags)]")
    out.line("#![allow(missing_docs)]")
    out.line()
    for file in files {
      let base = Names.base(file.path)
      if !file.messages.isEmpty || !file.enums.isEmpty { module(base + "_messages", &out) }
      if !file.services.isEmpty { module(base + "_client", &out) }
    }
    return out.text
  }

  private func module(_ name: String, _ out: inout SourceWriter) {
    out.line("mod \(name);")
    out.line("pub use \(name)::*;")
  }

  /// The file's stubs; nil when it declares no services.
  private func emit(_ file: FileModel) -> String? {
    guard !file.services.isEmpty else { return nil }
    var out = SourceWriter(unit: "    ")
    out.line("// " + banner(for: file.path))
    out.line()
    let calls = Set(file.services.flatMap(\.methods).map(\.rustCall)).sorted()
    let names = ["Channel", "Method", "MethodKind"] + calls
    out.line("use crate::{\(names.joined(separator: ", "))};")
    for service in file.services {
      out.line()
      for method in service.methods {
        out.line("const \(constant(method, of: service)): Method = Method::new(")
        out.indented {
          $0.line("\"\(method.path)\", MethodKind::\(method.rustKind), \(method.isReadOnly),")
        }
        out.line(");")
      }
      out.line()
      emit(service, &out)
    }
    return out.text
  }

  private func emit(_ service: ServiceModel, _ out: inout SourceWriter) {
    let name = service.name.simple + "Client"
    out.rustDocumentation(
      service.comment.isEmpty ? ["`\(service.name.full)`."] : service.comment,
      isDeprecated: service.isDeprecated)
    out.line("#[derive(Clone, Debug)]")
    out.block("pub struct \(name)") { $0.line("channel: Channel,") }
    out.line()
    out.block("impl \(name)") { out in
      out.block("pub(crate) fn new(channel: Channel) -> Self") { $0.line("Self { channel }") }
      for method in service.methods {
        out.line()
        emit(method, of: service, &out)
      }
    }
  }

  private func emit(
    _ method: MethodModel, of service: ServiceModel, _ out: inout SourceWriter
  ) {
    let input = RustNames.path(method.input, from: service.name, depth: 1)
    let output = RustNames.path(method.output, from: service.name, depth: 1)
    let name = RustNames.field(Names.snake(method.name))
    let call = method.rustCall
    let constant = constant(method, of: service)
    out.rustDocumentation(method.comment, isDeprecated: method.isDeprecated)
    if method.kind == .unary || method.kind == .serverStreaming {
      out.block("pub fn \(name)(&self, request: \(input)) -> \(call)<\(output)>") {
        $0.line("\(call)::new(&self.channel, &\(constant), &request)")
      }
    } else {
      out.line("pub fn \(name)<S>(&self, requests: S) -> \(call)<\(output)>")
      out.line("where")
      out.indented { $0.line("S: ::futures_core::Stream<Item = \(input)> + Send + 'static,") }
      out.line("{")
      out.indented { $0.line("\(call)::new(&self.channel, &\(constant), requests)") }
      out.line("}")
    }
  }

  private func constant(_ method: MethodModel, of service: ServiceModel) -> String {
    (Names.snake(service.name.simple) + "_" + Names.snake(method.name)).uppercased()
  }
}

extension MethodModel {
  fileprivate var rustKind: String {
    switch kind {
    case .unary: "Unary"
    case .serverStreaming: "ServerStream"
    case .clientStreaming: "ClientStream"
    case .bidirectional: "Bidi"
    }
  }

  /// The type of the runtime that makes the call.
  fileprivate var rustCall: String { rustKind + "Call" }
}
