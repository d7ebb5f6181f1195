/// Why a name stands for no method.
package enum MethodLookupError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Nothing has this name; the nearest names, if any are near.
  case unknown(String, suggestions: [String])
  /// Several methods have it.
  case ambiguous(String, candidates: [String])

  package var description: String {
    switch self {
    case .unknown(let name, let suggestions) where suggestions.isEmpty:
      "there is no method \(name); `hito call --list` shows all of them"
    case .unknown(let name, let suggestions):
      "there is no method \(name); did you mean \(suggestions.joined(separator: " or "))?"
    case .ambiguous(let name, let candidates):
      "several methods are named \(name): say which of "
        + candidates.joined(separator: ", ")
    }
  }
}

extension Schema {
  /// The method that a person means: `hito.v1.GoalService/CreateGoal`, `GoalService/CreateGoal`,
  /// `goals.GoalService/CreateGoal`, `Goal/CreateGoal` or `CreateGoal`, in any case and with a dot
  /// for the slash.
  package func method(named name: String) throws(MethodLookupError) -> Method {
    let (service, method) = Self.split(name.lowercased())
    let named = methods.filter { $0.name.lowercased() == method }
    let found = named.filter { candidate in
      service.isEmpty || Self.serviceNames(of: candidate).contains(String(service))
    }
    if found.count == 1, let only = found.first { return only }
    if !found.isEmpty {
      throw .ambiguous(name, candidates: found.prefix(10).map(\.shortPath))
    }
    if !named.isEmpty, !service.isEmpty {
      throw .unknown(name, suggestions: named.prefix(3).map(\.shortPath))
    }
    throw .unknown(name, suggestions: suggestions(service: service, method: method))
  }

  private func suggestions(service: Substring, method: Substring) -> [String] {
    let names = Array(Set(methods.map(\.name)))
    let near = NearNames.suggestions(for: String(method), among: names)
    var paths = near.flatMap { name in methods.filter { $0.name == name }.map(\.shortPath) }
    if paths.isEmpty, !service.isEmpty {
      paths = NearNames.suggestions(for: "\(service)/\(method)", among: methods.map(\.shortPath))
    }
    return Array(paths.prefix(3))
  }

  private static func split(_ name: String) -> (service: Substring, method: Substring) {
    let text = name.hasPrefix("/") || name.hasPrefix(".") ? name.dropFirst() : name[...]
    guard let separator = text.lastIndex(of: "/") ?? text.lastIndex(of: ".") else {
      return ("", text)
    }
    return (text[..<separator], text[text.index(after: separator)...])
  }

  private static func serviceNames(of method: Method) -> [String] {
    let short = String(method.shortService)
    var names = [method.service, short, "\(method.file).\(short)"]
    if short.hasSuffix("Service") { names.append(String(short.dropLast("Service".count))) }
    return names.map { $0.lowercased() }
  }
}
