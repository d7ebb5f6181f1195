import CToml

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
    let visits = Visits()
    var reason = [CChar](repeating: 0, count: 256)
    var text = text
    let line = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        hito_toml_read(
          characters.baseAddress, characters.count,
          { context, key, keyLength, kind, text, textLength, line in
            guard let context else { return }
            Unmanaged<Visits>.fromOpaque(context).takeUnretainedValue().add(
              SettingsFile.string(key, keyLength), SettingsFile.string(text, textLength), kind,
              line: line)
          }, Unmanaged.passUnretained(visits).toOpaque(), &reason, reason.count)
      }
    }
    guard line == 0 else {
      let text = String(
        decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw SettingsError(problems: ["\(path), line \(line): \(text)"])
    }
    entries = visits.entries
  }

  /// What the reader calls back with.
  private final class Visits {
    var entries: [String: Entry] = [:]

    func add(_ key: String, _ text: String, _ kind: hito_toml_kind, line: Int) {
      var entry = entries[key] ?? Entry(texts: [], line: line, isUnusable: false)
      entry.texts.append(text)
      if kind == HITO_TOML_OTHER { entry.isUnusable = true }
      entries[key] = entry
    }
  }

  private static func string(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
    return String(decoding: bytes, as: UTF8.self)
  }
}
