import HitoClient

/// How the text of a setting becomes a value, and what is said of it.
struct SettingKind<Value: Sendable>: Sendable {
  /// Stands for the value in help: `host:port`.
  let valueName: String
  /// Goes after "must be".
  let expectation: String
  /// Whether every text that is given counts, and not only the last.
  let isRepeatable: Bool
  let parse: @Sendable ([String]) -> Value?
  /// A value as people write it.
  let text: @Sendable (Value) -> String
}

extension SettingKind {
  /// Of one value.
  init(
    _ valueName: String, _ expectation: String, text: @escaping @Sendable (Value) -> String,
    parse: @escaping @Sendable (String) -> Value?
  ) {
    self.init(
      valueName: valueName, expectation: expectation, isRepeatable: false,
      parse: { texts in texts.last.flatMap(parse) }, text: text)
  }
}

extension SettingKind where Value == String {
  static var name: SettingKind { anything("name", "a name") }
  static var file: SettingKind { anything("file", "the path of a file") }
  static var folder: SettingKind { anything("dir", "the path of a folder") }
  static var url: SettingKind { anything("url", "a URL") }

  private static func anything(_ valueName: String, _ expectation: String) -> SettingKind {
    SettingKind(valueName, expectation, text: { $0 }, parse: { $0 })
  }

  /// One word without blanks; what stands around it is left out.
  static func word(_ valueName: String, byteCountMax: Int) -> SettingKind {
    let parse: @Sendable (String) -> String? = { text in
      let words = text.split(whereSeparator: \.isWhitespace)
      guard words.count == 1, let only = words.first, only.utf8.count <= byteCountMax else {
        return nil
      }
      return String(only)
    }
    return SettingKind(
      valueName, "one word of at most \(byteCountMax) bytes", text: { $0 }, parse: parse)
  }
}

extension SettingKind where Value == String {
  /// What paths are appended to.
  static var collectorURL: SettingKind {
    let parse: @Sendable (String) -> String? = { text in
      let rest = ["https://", "http://"].first { text.hasPrefix($0) }.map {
        text.dropFirst($0.count)
      }
      let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      guard let rest, !rest.isEmpty, rest.first != "/", isPlain, text.utf8.count <= 2048,
        !text.contains("?"), !text.contains("#"), !rest.contains("@")
      else { return nil }
      return text
    }
    return SettingKind(
      "url", "a URL with http:// or https://, and no ? or #", text: { $0 }, parse: parse)
  }
}

extension SettingKind where Value == [String] {
  static var names: SettingKind {
    SettingKind(
      valueName: "name", expectation: "names", isRepeatable: true, parse: { $0 },
      text: { $0.joined(separator: ",") })
  }
}

extension SettingKind where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> SettingKind {
    SettingKind("n", "a whole number, \(range.lowerBound) to \(range.upperBound)") {
      "\($0)"
    } parse: { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension SettingKind where Value == Double {
  static func number(_ range: ClosedRange<Double>, _ valueName: String = "x") -> SettingKind {
    SettingKind(valueName, "\(shown(range.lowerBound)) to \(shown(range.upperBound))") {
      shown($0)
    } parse: { text in
      Double(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Without `.0`.
  private static func shown(_ number: Double) -> String {
    Int64(exactly: number).map { "\($0)" } ?? "\(number)"
  }
}

extension SettingKind where Value == Duration {
  /// Seconds, with a fraction where wanted.
  static func seconds(_ range: ClosedRange<Double>) -> SettingKind {
    let number = SettingKind<Double>.number(range, "seconds")
    return SettingKind("seconds", "\(number.expectation) seconds") {
      "\(number.text($0 / .seconds(1))) s"
    } parse: { text in
      number.parse([text]).map { .seconds($0) }
    }
  }
}

extension SettingKind where Value == Bool {
  static var yesOrNo: SettingKind {
    SettingKind("yes|no", "yes or no") {
      $0 ? "yes" : "no"
    } parse: { text in
      switch text.lowercased() {
      case "yes", "true", "1": true
      case "no", "false", "0": false
      default: nil
      }
    }
  }
}

extension SettingKind
where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
  /// One of the cases, by their names.
  static var choice: SettingKind {
    let names = Value.allCases.map(\.rawValue)
    let list = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    return SettingKind(
      names.joined(separator: "|"), list, text: { $0.rawValue }, parse: { Value(rawValue: $0) })
  }
}

extension SettingKind where Value == HitoAddress {
  /// Where a server listens: the port must be given, and 0 lets the system choose.
  static var listenAddress: SettingKind {
    SettingKind("host:port", "host:port, for example 127.0.0.1:7443") {
      "\($0)"
    } parse: {
      HitoAddress($0, ports: 0...65_535, portDefault: nil)
    }
  }
}

extension SettingKind where Value == HitoAddress {
  /// The same, or a port alone, which is this machine's own.
  static var metricsAddress: SettingKind {
    SettingKind("host:port", "host:port or a port, for example 9464") {
      "\($0)"
    } parse: { text in
      let address = Int(text) == nil ? text : "127.0.0.1:\(text)"
      return HitoAddress(address, ports: 0...65_535, portDefault: nil)
    }
  }
}

extension SettingKind where Value == [HitoAddress] {
  /// Servers, with commas between them.
  static var addresses: SettingKind {
    SettingKind(
      "host:port", "host:port, for example 127.0.0.1:7443, or several of them with commas between"
    ) {
      $0.map(\.description).joined(separator: ",")
    } parse: {
      HitoAddress.list($0)
    }
  }
}
