/// Emits the typed Python stubs of a file's services, over the runtime's channels: one for asyncio, one that blocks.
struct PythonClientEmitter: ClientEmitter {
  func files(_ files: [FileModel]) -> [GeneratedFile] {
    let clients = files.compactMap { file in
      emit(file).map { GeneratedFile(path: Names.stem(file.path) + "_client.py", text: $0) }
    }
    let types = files.map { file in
      GeneratedFile(
        path: Names.stem(file.path) + "_pb2.pyi", text: PythonTypesEmitter().emit(file))
    }
    let packages = Dictionary(grouping: files, by: \.packageName).sorted { $0.key < $1.key }
    return clients + types
      + packages.map { name, members in
        let folder = name.split(separator: ".").joined(separator: "/")
        return GeneratedFile(
          path: folder + "/__init__.py",
          text: PythonPackageEmitter().emit(members.sorted { $0.path < $1.path }))
      }
  }

  /// The file's text; nil when it declares no services.
  private func emit(_ file: FileModel) -> String? {
    guard !file.services.isEmpty else { return nil }
    var out = SourceWriter(unit: "    ")
    out.line("# " + banner(for: file.path))
    out.docstring(
      file.comment.isEmpty ? ["Clients of the services in \(file.path)."] : file.comment)
    out.line("from __future__ import annotations")
    out.line()
    emitImports(file, &out)
    for service in file.services {
      out.line()
      for method in service.methods {
        out.line("\(constant(method, of: service)): Final = Method(")
        out.indented {
          let isReadOnly = method.isReadOnly ? "True" : "False"
          $0.line("\"\(method.path)\", \"\(method.pythonKind)\", \(isReadOnly)")
        }
        out.line(")")
      }
      out.line()
      for style in PythonStyle.allCases { emit(service, style, &out) }
    }
    return out.text
  }

  private func emitImports(_ file: FileModel, _ out: inout SourceWriter) {
    let methods = file.services.flatMap(\.methods)
    if methods.contains(where: { !$0.hasOneRequest }) {
      out.line("from collections.abc import AsyncIterable, Iterable")
    }
    out.line("from typing import TYPE_CHECKING, Final")
    out.line()
    let files = Set(methods.flatMap { [$0.input.file, $0.output.file] })
    let imports = files.map { PythonNames.messageImport($0) }
    let foreign = imports.filter { $0.hasPrefix("from google") }.sorted()
    let own = imports.filter { !$0.hasPrefix("from google") }.sorted()
    // One block: sorted as isort would, third party first.
    out.lines(foreign)
    out.line("from hito._method import Method")
    out.lines(own)
    out.line()
    // Only for type checkers: the runtime may import the stubs.
    out.line("if TYPE_CHECKING:")
    let options = Set(methods.map(\.pythonOptions)).sorted().joined(separator: ", ")
    let streams = methods.contains { !$0.hasOneResponse }
    out.indented {
      $0.line("from typing import Unpack")
      $0.line("")
      $0.line("from hito._channel import Channel")
      $0.line("from hito._options import \(options)")
      if streams { $0.line("from hito._stream import ResponseStream") }
      $0.line("from hito.sync._channel import SyncChannel")
      if streams { $0.line("from hito.sync._stream import SyncResponseStream") }
    }
    out.line()
  }

  private func emit(_ service: ServiceModel, _ style: PythonStyle, _ out: inout SourceWriter) {
    out.line()
    out.line("class \(style.className(service)):")
    out.indented { out in
      let comment = service.comment.isEmpty ? ["`\(service.name.full)`."] : service.comment
      out.docstring(comment + (style == .blocking ? ["", "Its calls block; for any thread."] : []))
      out.line("def __init__(self, channel: \(style.prefix)Channel) -> None:")
      out.indented { $0.line("self._channel = channel") }
      for method in service.methods {
        out.line()
        emit(method, of: service, style, &out)
      }
    }
    if style != PythonStyle.allCases.last { out.line() }
  }

  private func emit(
    _ method: MethodModel, of service: ServiceModel, _ style: PythonStyle, _ out: inout SourceWriter
  ) {
    let input = PythonNames.type(method.input)
    let output = PythonNames.type(method.output)
    let hasOneRequest = method.hasOneRequest
    let waits = method.hasOneResponse && style == .asyncio
    out.line("\(waits ? "async " : "")def \(PythonNames.method(method.name))(")
    out.indented { out in
      out.line("self,")
      out.line(hasOneRequest ? "request: \(input)," : "requests: \(style.iterable)[\(input)],")
      out.line("**options: Unpack[\(method.pythonOptions)],")
    }
    let stream = "\(style.prefix)ResponseStream[\(output)]"
    out.line(") -> \(method.hasOneResponse ? output : stream):")
    out.indented { out in
      let note = method.isDeprecated ? ["", "Deprecated in the contract."] : []
      let comment = method.comment + note
      if !comment.isEmpty { out.docstring(comment) }
      out.line("return \(waits ? "await " : "")self._channel.\(method.pythonCall)(")
      out.indented { out in
        out.line("\(constant(method, of: service)),")
        out.line(hasOneRequest ? "request," : "requests,")
        out.line("\(output),")
        out.line("**options,")
      }
      out.line(")")
    }
  }

  private func constant(_ method: MethodModel, of service: ServiceModel) -> String {
    "_" + (Names.snake(service.name.simple) + "_" + Names.snake(method.name)).uppercased()
  }
}

/// The two clients that each service has.
enum PythonStyle: CaseIterable {
  case asyncio, blocking

  /// Before the names of what is of this kind alone.
  var prefix: String { self == .blocking ? "Sync" : "" }

  var iterable: String { self == .blocking ? "Iterable" : "AsyncIterable" }

  func className(_ service: ServiceModel) -> String { "\(prefix)\(service.name.simple)Client" }
}

/// Emits the package's `__init__.py`: every message, enum and client under one name.
struct PythonPackageEmitter {
  func emit(_ files: [FileModel]) -> String {
    var out = SourceWriter(unit: "    ")
    let packageName = files.first?.packageName ?? ""
    out.line("# " + banner(for: "the files of package \(packageName)"))
    var names: [String] = []
    for file in files {
      let types = (file.messages.map(\.name.simple) + file.enums.map(\.name.simple)).sorted()
      emit(types, from: Names.base(file.path) + "_pb2", &out)
      let clients = file.services.flatMap { service in
        PythonStyle.allCases.map { $0.className(service) }
      }.sorted()
      emit(clients, from: Names.base(file.path) + "_client", &out)
      names += types + clients
    }
    out.line()
    out.line("__all__ = [")
    out.indented { out in
      for name in names.sorted() { out.line("\"\(name)\",") }
    }
    out.line("]")
    return out.text
  }

  private func emit(_ names: [String], from module: String, _ out: inout SourceWriter) {
    guard !names.isEmpty else { return }
    out.line("from .\(module) import (")
    out.indented { out in
      for name in names { out.line("\(name),") }
    }
    out.line(")")
  }
}

extension MethodModel {
  fileprivate var hasOneRequest: Bool { kind == .unary || kind == .serverStreaming }
  fileprivate var hasOneResponse: Bool { kind == .unary || kind == .clientStreaming }

  fileprivate var pythonKind: String {
    switch kind {
    case .unary: "unary"
    case .serverStreaming: "server_stream"
    case .clientStreaming: "client_stream"
    case .bidirectional: "bidi"
    }
  }

  /// The type of the call's keywords (hito/_options.py). A call that writes may be repeated under a key (W14).
  fileprivate var pythonOptions: String {
    if kind == .unary { return "UnaryOptions" }
    let takesKey = !isReadOnly && kind != .bidirectional
    return (takesKey ? "Keyed" : "")
      + (hasOneResponse ? "ReplyOptions" : "StreamOptions")
  }

  /// The method of the runtime's channel that makes the call.
  fileprivate var pythonCall: String { kind == .bidirectional ? "bidi_stream" : pythonKind }
}
