import TOML

/// The settings of a TOML file: `listen = "0.0.0.0:7443"`, with the names of the flags as keys.
struct SettingsFile: Sendable, Hashable {
  static let byteCountMax = 64 << 10

  struct Entry: Sendable, Hashable {
    var texts: [String]
    let line: Int
    /// A date, or an array in an array: no setting is one.
    var isUnusable: Bool
  }

  let path: String
  /// By key; those of tables with dots.
  private(set) var entries: [String: Entry] = [:]

  init(path: String, text: String) throws(SettingsError) {
    self.path = path
    guard text.utf8.count <= Self.byteCountMax else {
      throw SettingsError(problems: ["\(path) is longer than \(Self.byteCountMax >> 10) KiB"])
    }
    do throws(TOMLError) {
      for value in try TOMLReader.values(text) {
        var entry =
          entries[value.key] ?? Entry(texts: [], line: value.line, isUnusable: false)
        entry.texts.append(value.text)
        if value.kind == .other { entry.isUnusable = true }
        entries[value.key] = entry
      }
    } catch {
      throw SettingsError(problems: ["\(path), line \(error.line): \(error.reason)"])
    }
  }
}
