internal import Foundation
internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// Turns protoc's descriptors into the model and notes everything that the emitters cannot express.
struct ModelBuilder {
  private(set) var diagnostics: [Diagnostic] = []
  /// For emitters whose readers bound the depth of what they read.
  var allowsRecursion = false

  mutating func file(_ file: FileDescriptor) -> FileModel {
    if file.edition != .proto3 {
      report(file, "only proto3 is supported")
    }
    let model = FileModel(
      path: file.name, packageName: file.package, comment: syntaxComment(file),
      messages: file.messages.map { message($0) }, enums: file.enums.map { enumeration($0) },
      services: file.services.map { service($0) })
    for cycle in allowsRecursion ? [] : recursiveMessages(in: file) {
      report(
        cycle.type,
        """
        message \(cycle.type.fullName) contains itself (\(cycle.description)): recursive messages \
        are refused, because their depth is chosen by the sender
        """)
    }
    return model
  }

  // MARK: Messages

  private mutating func message(_ type: Descriptor) -> MessageModel {
    if type.fields.count > 256 {
      report(type, "message \(type.fullName) has more than 256 fields, the most that is supported")
    }
    if !type.messageExtensionRanges.isEmpty {
      report(type, "extension ranges do not exist in proto3")
    }
    return MessageModel(
      name: name(type), comment: comment(type), isDeprecated: type.options.deprecated,
      fields: type.fields.compactMap { field($0) },
      oneofs: type.realOneofs.map { oneof($0) },
      messages: type.messages.filter { !$0.options.mapEntry }.map { message($0) },
      enums: type.enums.map { enumeration($0) })
  }

  private mutating func oneof(_ oneof: OneofDescriptor) -> OneofModel {
    OneofModel(
      name: oneof.name, comment: comment(oneof), fields: oneof.fields.compactMap { field($0) })
  }

  private mutating func field(_ field: FieldDescriptor) -> FieldModel? {
    if field.containingOneof != nil, field.realContainingOneof == nil {
      report(
        field,
        """
        field \(field.fullName) is proto3 "optional", which protobuf-c cannot compile: write \
        oneof has_\(field.name) { … } with this field as its only member
        """)
      return nil
    }
    // The C struct of every message starts with a member of this name.
    if field.name == "base" {
      report(field, "a field cannot be named \"base\": protobuf-c uses the name")
    }
    guard let shape = shape(field) else { return nil }
    return FieldModel(
      name: field.name, number: field.number, comment: comment(field),
      isDeprecated: field.options.deprecated, shape: shape, coding: coding(field),
      oneof: field.realContainingOneof?.name)
  }

  private mutating func shape(_ field: FieldDescriptor) -> FieldShape? {
    if field.isMap, let pair = field.messageType.mapKeyAndValue {
      guard let key = valueType(pair.key), let value = valueType(pair.value) else { return nil }
      return .map(key: key, value: value, entry: name(field.messageType))
    }
    guard let type = valueType(field) else { return nil }
    return field.isRepeated ? .list(type) : .single(type)
  }

  private func coding(_ field: FieldDescriptor) -> FieldCoding {
    if field.isMap, let pair = field.messageType.mapKeyAndValue {
      return FieldCoding(value: integerCoding(pair.value), key: integerCoding(pair.key))
    }
    return FieldCoding(value: integerCoding(field), isPacked: field.isPacked)
  }

  private func integerCoding(_ field: FieldDescriptor) -> FieldCoding.Integer {
    switch field.type {
    case .sint32, .sint64: .zigzag
    case .fixed32, .fixed64, .sfixed32, .sfixed64: .fixed
    default: .varint
    }
  }

  private mutating func valueType(_ field: FieldDescriptor) -> ValueType? {
    switch field.type {
    case .int32, .sint32, .sfixed32: return .int32
    case .int64, .sint64, .sfixed64: return .int64
    case .uint32, .fixed32: return .uint32
    case .uint64, .fixed64: return .uint64
    case .float: return .float
    case .double: return .double
    case .bool: return .bool
    case .string: return .string
    case .bytes: return .bytes
    case .enum: return .enumeration(name(field.enumType))
    case .message: return .message(name(field.messageType))
    case .group:
      report(field, "groups do not exist in proto3")
      return nil
    }
  }

  private func enumeration(_ type: EnumDescriptor) -> EnumModel {
    EnumModel(
      name: name(type), comment: comment(type), isDeprecated: type.options.deprecated,
      values: type.values.map {
        EnumValueModel(
          name: $0.name, number: $0.number, comment: comment($0),
          isDeprecated: $0.options.deprecated)
      })
  }

  // MARK: Services

  private mutating func service(_ service: ServiceDescriptor) -> ServiceModel {
    ServiceModel(
      name: ProtoName(
        packageName: service.file.package, path: [service.name], file: service.file.name),
      comment: comment(service), isDeprecated: service.options.deprecated,
      methods: service.methods.compactMap { method($0, of: service) })
  }

  private mutating func method(
    _ method: SwiftProtobufPluginLibrary.MethodDescriptor, of service: ServiceDescriptor
  ) -> MethodModel? {
    let kind: MethodModel.Kind =
      switch (method.clientStreaming, method.serverStreaming) {
      case (false, false): .unary
      case (false, true): .serverStreaming
      case (true, false): .clientStreaming
      case (true, true): .bidirectional
      }
    let rule: MethodRuleModel
    do throws(MethodRuleError) {
      let isUnary = kind == .unary
      rule = try MethodRuleOption(method.options).rule(isUnary: isUnary)
    } catch {
      report(method, "method \(service.fullName)/\(method.name) \(error.message)")
      return nil
    }
    return MethodModel(
      name: method.name, path: "\(service.fullName)/\(method.name)", comment: comment(method),
      isDeprecated: method.options.deprecated, kind: kind,
      isReadOnly: method.options.idempotencyLevel == .noSideEffects, rule: rule,
      input: name(method.inputType), output: name(method.outputType))
  }

  // MARK: Names, comments, places

  private func name(_ type: Descriptor) -> ProtoName {
    ProtoName(
      packageName: type.file.package, path: path(type.fullName, in: type.file),
      file: type.file.name)
  }

  private func name(_ type: EnumDescriptor) -> ProtoName {
    ProtoName(
      packageName: type.file.package, path: path(type.fullName, in: type.file),
      file: type.file.name)
  }

  private func path(_ fullName: String, in file: FileDescriptor) -> [String] {
    let prefix = file.package.isEmpty ? "" : file.package + "."
    return fullName.dropFirst(prefix.count).split(separator: ".").map(String.init)
  }

  private func comment(_ element: some ProvidesSourceCodeLocation) -> [String] {
    guard let location = element.sourceCodeInfoLocation else { return [] }
    return lines(location.leadingComments) + lines(location.trailingComments)
  }

  /// The comment above `syntax`, which speaks about the whole file.
  private func syntaxComment(_ file: FileDescriptor) -> [String] {
    let syntaxFieldNumber = 12
    guard let location = file.sourceCodeInfoLocation(path: [syntaxFieldNumber]) else { return [] }
    return lines(location.leadingComments)
  }

  /// Lines without the space after `//` and without empty lines around.
  private func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var line = line.hasPrefix(" ") ? line.dropFirst() : line
      while let last = line.last, last.isWhitespace { line.removeLast() }
      return String(line)
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    while lines.first?.isEmpty == true { lines.removeFirst() }
    return lines
  }

  private mutating func report(_ file: FileDescriptor, _ message: String) {
    diagnostics.append(Diagnostic(place: file.name, message: message))
  }

  private mutating func report(
    _ element: some ProvidesSourceCodeLocation & ProvidesLocationPath, _ message: String
  ) {
    var place = element.file.name
    if let span = element.sourceCodeInfoLocation?.span, span.count >= 2 {
      place += ":\(span[0] + 1):\(span[1] + 1)"
    }
    diagnostics.append(Diagnostic(place: place, message: message))
  }
}
