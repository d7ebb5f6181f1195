internal import SwiftProtobuf

/// Compares two versions of one message.
struct MessageComparison {
  let name: String
  let old: Google_Protobuf_DescriptorProto
  let new: Google_Protobuf_DescriptorProto

  func findings() -> [Diagnostic] {
    old.field.flatMap { fieldFindings($0) } + reservationFindings()
  }

  private func fieldFindings(_ field: Google_Protobuf_FieldDescriptorProto) -> [Diagnostic] {
    let place = "\(name).\(field.name)"
    guard let successor = new.field.first(where: { $0.number == field.number }) else {
      return removalFindings(field, place)
    }
    var messages: [String] = []
    if successor.name != field.name {
      messages.append("number \(field.number) was renamed to \"\(successor.name)\"")
    }
    if successor.type != field.type || successor.typeName != field.typeName {
      messages.append("the type changed from \(text(field)) to \(text(successor))")
    }
    if (successor.label == .repeated) != (field.label == .repeated) {
      messages.append("the field became \(successor.label == .repeated ? "repeated" : "singular")")
    }
    if oneof(of: successor, in: new) != oneof(of: field, in: old) {
      messages.append("the field moved into, out of or between oneofs")
    }
    return messages.map { Diagnostic(place: place, message: $0) }
  }

  private func removalFindings(
    _ field: Google_Protobuf_FieldDescriptorProto, _ place: String
  ) -> [Diagnostic] {
    if let moved = new.field.first(where: { $0.name == field.name }) {
      let message = "the number changed from \(field.number) to \(moved.number)"
      return [Diagnostic(place: place, message: message)]
    }
    var findings: [Diagnostic] = []
    // The end of a message's range is exclusive, unlike that of an enum's.
    if !new.reservedRange.contains(where: { $0.start <= field.number && field.number < $0.end }) {
      let message = "the field was removed, but its number \(field.number) is not reserved"
      findings.append(Diagnostic(place: place, message: message))
    }
    if !new.reservedName.contains(field.name) {
      let message = "the field was removed, but its name is not reserved"
      findings.append(Diagnostic(place: place, message: message))
    }
    return findings
  }

  private func reservationFindings() -> [Diagnostic] {
    let ranges = old.reservedRange.filter { range in
      !new.reservedRange.contains { $0.start <= range.start && range.end <= $0.end }
    }
    let names = old.reservedName.filter { !new.reservedName.contains($0) }
    return ranges.map {
      Diagnostic(place: name, message: "reserved \($0.start) to \($0.end - 1) was given up")
    }
      + names.map { Diagnostic(place: name, message: "reserved name \"\($0)\" was given up") }
  }

  private func oneof(
    of field: Google_Protobuf_FieldDescriptorProto, in message: Google_Protobuf_DescriptorProto
  ) -> String? {
    guard field.hasOneofIndex, message.oneofDecl.indices.contains(Int(field.oneofIndex)) else {
      return nil
    }
    return message.oneofDecl[Int(field.oneofIndex)].name
  }

  private func text(_ field: Google_Protobuf_FieldDescriptorProto) -> String {
    field.typeName.isEmpty ? "\(field.type)" : field.typeName
  }
}
