internal import SwiftProtobuf

/// Finds every difference between two versions of a contract that would break a client or server
/// of the old one, on the wire or in source.
struct Compatibility {
  let old: Google_Protobuf_FileDescriptorSet
  let new: Google_Protobuf_FileDescriptorSet

  func findings() -> [Diagnostic] {
    let oldTypes = ContractIndex(old)
    let newTypes = ContractIndex(new)
    var findings: [Diagnostic] = []
    for (name, message) in oldTypes.messages.sorted(by: { $0.key < $1.key }) {
      guard let successor = newTypes.messages[name] else {
        // The entry type of a map goes with its field, which is checked on its own.
        if message.options.mapEntry { continue }
        findings.append(Diagnostic(place: name, message: "the message was removed"))
        continue
      }
      findings += MessageComparison(name: name, old: message, new: successor).findings()
    }
    for (name, type) in oldTypes.enums.sorted(by: { $0.key < $1.key }) {
      guard let successor = newTypes.enums[name] else {
        findings.append(Diagnostic(place: name, message: "the enum was removed"))
        continue
      }
      findings += enumFindings(name, type, successor)
    }
    for (name, service) in oldTypes.services.sorted(by: { $0.key < $1.key }) {
      guard let successor = newTypes.services[name] else {
        findings.append(Diagnostic(place: name, message: "the service was removed"))
        continue
      }
      findings += serviceFindings(name, service, successor)
    }
    return findings
  }

  private func enumFindings(
    _ name: String, _ old: Google_Protobuf_EnumDescriptorProto,
    _ new: Google_Protobuf_EnumDescriptorProto
  ) -> [Diagnostic] {
    var findings: [Diagnostic] = []
    for value in old.value {
      let place = "\(name).\(value.name)"
      guard let successor = new.value.first(where: { $0.name == value.name }) else {
        findings.append(Diagnostic(place: place, message: "the enum value was removed or renamed"))
        continue
      }
      if successor.number != value.number {
        let message = "the number changed from \(value.number) to \(successor.number)"
        findings.append(Diagnostic(place: place, message: message))
      }
    }
    for range in old.reservedRange
    where !new.reservedRange.contains(where: { $0.start <= range.start && range.end <= $0.end }) {
      let message = "reserved \(range.start) to \(range.end) was given up"
      findings.append(Diagnostic(place: name, message: message))
    }
    for reserved in old.reservedName where !new.reservedName.contains(reserved) {
      let message = "reserved name \"\(reserved)\" was given up"
      findings.append(Diagnostic(place: name, message: message))
    }
    return findings
  }

  private func serviceFindings(
    _ name: String, _ old: Google_Protobuf_ServiceDescriptorProto,
    _ new: Google_Protobuf_ServiceDescriptorProto
  ) -> [Diagnostic] {
    old.method.flatMap { method -> [Diagnostic] in
      let place = "\(name)/\(method.name)"
      guard let successor = new.method.first(where: { $0.name == method.name }) else {
        return [Diagnostic(place: place, message: "the method was removed or renamed")]
      }
      var messages: [String] = []
      if successor.inputType != method.inputType {
        messages.append("the request changed from \(method.inputType) to \(successor.inputType)")
      }
      if successor.outputType != method.outputType {
        messages.append("the response changed from \(method.outputType) to \(successor.outputType)")
      }
      if successor.clientStreaming != method.clientStreaming {
        messages.append("the request became \(successor.clientStreaming ? "a" : "no") stream")
      }
      if successor.serverStreaming != method.serverStreaming {
        messages.append("the response became \(successor.serverStreaming ? "a" : "no") stream")
      }
      let wasRead = method.options.idempotencyLevel == .noSideEffects
      if wasRead, successor.options.idempotencyLevel != .noSideEffects {
        // Old clients repeat what they believe to be a read.
        messages.append("a read became a write")
      }
      return messages.map { Diagnostic(place: place, message: $0) }
    }
  }
}

/// All types of a contract by full name.
struct ContractIndex {
  private(set) var messages: [String: Google_Protobuf_DescriptorProto] = [:]
  private(set) var enums: [String: Google_Protobuf_EnumDescriptorProto] = [:]
  private(set) var services: [String: Google_Protobuf_ServiceDescriptorProto] = [:]

  init(_ set: Google_Protobuf_FileDescriptorSet) {
    for file in set.file {
      let prefix = file.package.isEmpty ? "" : file.package + "."
      for message in file.messageType { add(message, prefix: prefix) }
      for type in file.enumType { enums[prefix + type.name] = type }
      for service in file.service { services[prefix + service.name] = service }
    }
  }

  private mutating func add(_ message: Google_Protobuf_DescriptorProto, prefix: String) {
    let name = prefix + message.name
    messages[name] = message
    for nested in message.nestedType { add(nested, prefix: name + ".") }
    for type in message.enumType { enums[name + "." + type.name] = type }
  }
}
