/// Emits the types of a file's messages for type checkers and editors: what protoc writes as `.pyi`, with the contract's
/// comments, with values of enums that are members of their class, and clean where a checker is strict.
struct PythonTypesEmitter {
  func emit(_ file: FileModel) -> String {
    var out = SourceWriter(unit: "    ")
    out.line("# " + banner(for: file.path))
    emitImports(file, &out)
    out.line()
    out.line("DESCRIPTOR: _descriptor.FileDescriptor")
    for declared in file.enums { emit(declared, in: file, &out) }
    for message in file.messages { emit(message, in: file, &out) }
    return out.text
  }

  private func emitImports(_ file: FileModel, _ out: inout SourceWriter) {
    out.lines([
      "import collections.abc as _abc",
      "import typing as _t",
      "",
      "from google.protobuf import descriptor as _descriptor",
      "from google.protobuf import message as _message",
      "from google.protobuf.internal import containers as _containers",
      "from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper",
    ])
    let used = Set(file.messages.flatMap(\.filesOfTypes)).subtracting([file.path])
    out.lines(used.map { "\(PythonNames.messageImport($0)) as _\(Names.base($0))_pb2" }.sorted())
  }

  private func emit(_ type: EnumModel, in file: FileModel, _ out: inout SourceWriter) {
    let name = type.name.simple
    out.line()
    out.line("class \(name)(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):")
    out.indented { out in
      out.documented(type.comment, isDeprecated: type.isDeprecated)
      for value in type.values where !PythonNames.isReserved(value.name) {
        out.line("\(value.name): _t.ClassVar[\(PythonNames.local(type.name, in: file.path))]")
        out.documented(value.comment, isDeprecated: value.isDeprecated)
      }
    }
    out.line()
    // Beside the class, too.
    for value in type.values where !PythonNames.isReserved(value.name) {
      out.line("\(value.name): \(PythonNames.local(type.name, in: file.path))")
    }
  }

  private func emit(_ message: MessageModel, in file: FileModel, _ out: inout SourceWriter) {
    out.line()
    out.line("class \(message.name.simple)(_message.Message):")
    out.indented { out in
      out.documented(message.comment, isDeprecated: message.isDeprecated)
      out.line("DESCRIPTOR: _descriptor.Descriptor")
      for declared in message.enums { emit(declared, in: file, &out) }
      for nested in message.messages { emit(nested, in: file, &out) }
      if !(message.enums.isEmpty && message.messages.isEmpty) { out.line() }
      for field in message.fields {
        out.line("\(field.name.uppercased())_FIELD_NUMBER: _t.ClassVar[int]")
      }
      for field in message.fields where !PythonNames.isReserved(field.name) {
        emit(field, in: file, &out)
      }
      emitInitializer(of: message, in: file, &out)
      emitOneofs(of: message, &out)
    }
  }

  private func emit(_ field: FieldModel, in file: FileModel, _ out: inout SourceWriter) {
    let type = field.shape.pythonType(in: file.path)
    guard field.shape.isAssignable else {
      // What it holds is changed in place: protobuf has no assignment for it.
      out.line("@property")
      out.line("def \(field.name)(self) -> \(type):")
      out.indented {
        $0.documented(field.comment, isDeprecated: field.isDeprecated)
        if field.comment.isEmpty && !field.isDeprecated { $0.line("...") }
      }
      return
    }
    out.line("\(field.name): \(type)")
    out.documented(field.comment, isDeprecated: field.isDeprecated)
  }

  private func emitInitializer(
    of message: MessageModel, in file: FileModel, _ out: inout SourceWriter
  ) {
    // Words of the language can be given by `**` only.
    let fields = message.fields.filter { !PythonNames.isReserved($0.name) && $0.name != "self" }
    let hasOthers = fields.count < message.fields.count
    guard !message.fields.isEmpty else { return out.line("def __init__(self) -> None: ...") }
    out.line("def __init__(")
    out.indented { out in
      out.line("self,")
      if !fields.isEmpty { out.line("*,") }
      for field in fields {
        out.line("\(field.name): \(field.shape.pythonArgument(in: file.path)) | None = ...,")
      }
      if hasOthers { out.line("**others: _t.Any,") }
    }
    out.line(") -> None: ...")
  }

  private func emitOneofs(of message: MessageModel, _ out: inout SourceWriter) {
    guard !message.oneofs.isEmpty else { return }
    for oneof in message.oneofs {
      let fields = oneof.fields.map { "\"\($0.name)\"" }.joined(separator: ", ")
      out.line("@_t.overload")
      out.line("def WhichOneof(")
      out.indented { $0.line("self, oneof_group: _t.Literal[\"\(oneof.name)\"]") }
      out.line(") -> _t.Literal[\(fields)] | None: ...")
    }
    out.line("@_t.overload")
    out.line("def WhichOneof(self, oneof_group: str | bytes) -> str | None: ...")
  }
}

extension MessageModel {
  /// The files of the types of its fields, nested messages included.
  fileprivate var filesOfTypes: [String] {
    fields.flatMap { $0.shape.valueTypes.compactMap(\.name?.file) }
      + messages.flatMap(\.filesOfTypes)
  }
}

extension FieldShape {
  fileprivate var valueTypes: [ValueType] {
    switch self {
    case .single(let type), .list(let type): [type]
    case .map(let key, let value, _): [key, value]
    }
  }

  fileprivate var isAssignable: Bool {
    switch self {
    case .single(.message), .list, .map: false
    case .single: true
    }
  }

  fileprivate func pythonType(in file: String) -> String {
    switch self {
    case .single(let type): return type.python(in: file)
    case .list(let type):
      let kind = type.isMessage ? "RepeatedCompositeFieldContainer" : "RepeatedScalarFieldContainer"
      return "_containers.\(kind)[\(type.python(in: file))]"
    case .map(let key, let value, _):
      let kind = value.isMessage ? "MessageMap" : "ScalarMap"
      return "_containers.\(kind)[\(key.python(in: file)), \(value.python(in: file))]"
    }
  }

  /// What the initializer takes.
  fileprivate func pythonArgument(in file: String) -> String {
    switch self {
    case .single(let type): type.pythonArgument(in: file)
    case .list(let type): "_abc.Iterable[\(type.pythonArgument(in: file))]"
    case .map(let key, let value, _):
      "_abc.Mapping[\(key.python(in: file)), \(value.pythonArgument(in: file))]"
    }
  }
}

extension ValueType {
  fileprivate var isMessage: Bool {
    if case .message = self { true } else { false }
  }

  fileprivate var name: ProtoName? {
    switch self {
    case .enumeration(let name), .message(let name): name
    default: nil
    }
  }

  fileprivate func python(in file: String) -> String {
    switch self {
    case .int32, .int64, .uint32, .uint64: "int"
    case .float, .double: "float"
    case .bool: "bool"
    case .string: "str"
    case .bytes: "bytes"
    case .enumeration(let name), .message(let name): PythonNames.local(name, in: file)
    }
  }

  fileprivate func pythonArgument(in file: String) -> String {
    switch self {
    case .enumeration: python(in: file) + " | str"
    case .message: python(in: file) + " | _abc.Mapping[str, _t.Any]"
    default: python(in: file)
    }
  }
}
