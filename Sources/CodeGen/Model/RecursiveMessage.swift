internal import SwiftProtobufPluginLibrary

/// A message type that can contain itself.
struct RecursiveMessage {
  var type: Descriptor
  /// `Tree.child -> Node.parent -> Tree`.
  var description: String
}

/// The messages of `file` that can contain themselves, directly or through others.
func recursiveMessages(in file: FileDescriptor) -> [RecursiveMessage] {
  allMessages(file.messages).compactMap { type in
    var visited: Set<String> = []
    guard let steps = path(from: type, to: type.fullName, visited: &visited) else { return nil }
    return RecursiveMessage(
      type: type, description: (steps + [type.fullName]).joined(separator: " -> "))
  }
}

private func allMessages(_ messages: [Descriptor]) -> [Descriptor] {
  messages.flatMap { [$0] + allMessages($0.messages) }.filter { !$0.options.mapEntry }
}

private func path(from type: Descriptor, to target: String, visited: inout Set<String>)
  -> [String]?
{
  for field in type.fields {
    guard let next = field.messageType else { continue }
    if next.fullName == target { return [field.fullName] }
    guard visited.insert(next.fullName).inserted else { continue }
    if let rest = path(from: next, to: target, visited: &visited) {
      return [field.fullName] + rest
    }
  }
  return nil
}
