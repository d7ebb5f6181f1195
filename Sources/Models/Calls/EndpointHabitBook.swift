import FoundationEssentials
import JSON
import Synchronization

/// Remembers the habits of endpoints, also over restarts where it has a file.
package final class EndpointHabitBook: Sendable {
  /// One kind of call of one model at one address.
  package struct Key: Sendable, Hashable {
    package var url: String
    package var model: String
    /// `chat` or `embeddings`.
    package var operation: String

    package init(url: String, model: String, operation: String) {
      self.url = url
      self.model = model
      self.operation = operation
    }

    init(_ endpoint: ProviderEndpoint, operation: String) {
      self.init(url: endpoint.baseURL, model: endpoint.model, operation: operation)
    }
  }

  /// Its name in the data directory.
  package static let fileName = "model-endpoints.json"

  private static let fileByteCountMax = 1 << 18
  private static let entryCountMax = 64

  private let file: String?
  private let entries: Mutex<[Key: EndpointHabits]>

  /// - Parameter file: nil keeps them in memory alone. One that cannot be read holds nothing.
  package init(file: String? = nil) {
    self.file = file
    entries = Mutex(file.map(Self.read) ?? [:])
  }

  package var all: [Key: EndpointHabits] { entries.withLock { $0 } }

  func habits(of key: Key) -> EndpointHabits { entries.withLock { $0[key] } ?? EndpointHabits() }

  /// Adds what was learned; whether it is new.
  func learn(_ habits: EndpointHabits, of key: Key) -> Bool {
    entries.withLock { entries in
      var known = entries[key] ?? EndpointHabits()
      known.add(habits)
      guard known != entries[key] else { return false }
      entries[key] = known
      if let file { Self.write(entries, to: file) }
      return true
    }
  }

  private static func read(_ file: String) -> [Key: EndpointHabits] {
    guard let data = FileManager.default.contents(atPath: file), data.count <= fileByteCountMax,
      let list = JSONValue(parsing: Array(data))?["endpoints"]?.arrayValue
    else { return [:] }
    var entries: [Key: EndpointHabits] = [:]
    for entry in list.prefix(entryCountMax) {
      guard let url = entry["url"]?.stringValue, let model = entry["model"]?.stringValue,
        let operation = entry["operation"]?.stringValue
      else { continue }
      var habits = EndpointHabits()
      let refused = entry["refuses"]?.arrayValue?.compactMap(\.stringValue) ?? []
      habits.refused = Set(refused.compactMap(RequestParameter.init(rawValue:)))
      habits.tokenCountMax = positive(entry["text_tokens"])
      habits.textCountMax = positive(entry["request_texts"])
      entries[Key(url: url, model: model, operation: operation)] = habits
    }
    return entries
  }

  private static func positive(_ json: JSONValue?) -> Int? {
    json?.integerValue.flatMap { $0 > 0 ? Int($0) : nil }
  }

  /// What cannot be written is learned again after the next start.
  private static func write(_ entries: [Key: EndpointHabits], to file: String) {
    // Another process has learned for itself.
    var all = read(file)
    for (key, habits) in entries { all[key, default: EndpointHabits()].add(habits) }
    let list = all.sorted { $0.key.text < $1.key.text }.suffix(entryCountMax).map { key, habits in
      JSONValue.object([
        ("url", .string(key.url)), ("model", .string(key.model)),
        ("operation", .string(key.operation)),
        ("refuses", .array(habits.refused.map(\.rawValue).sorted().map { .string($0) })),
        ("text_tokens", habits.tokenCountMax.map { .integer(Int64($0)) } ?? .null),
        ("request_texts", habits.textCountMax.map { .integer(Int64($0)) } ?? .null),
      ])
    }
    let text = JSONValue.object([("endpoints", .array(list))]).text + "\n"
    try? Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
  }
}

extension EndpointHabitBook.Key {
  /// For people, and to sort by.
  package var text: String { "\(model) at \(url) (\(operation))" }
}
