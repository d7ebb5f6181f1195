/// Where a setting came from; shown by `hito config` and in errors.
package enum SettingSource: Sendable, Hashable, CustomStringConvertible {
  case option(String)
  case environment(String)
  case file(String)
  case builtIn

  package var description: String {
    switch self {
    case .option(let name): "option \(name)"
    case .environment(let name): "environment \(name)"
    case .file(let path): path
    case .builtIn: "default"
    }
  }
}

/// A value and where it came from.
package struct Setting<Value: Sendable & Hashable>: Sendable, Hashable {
  package var value: Value
  package var source: SettingSource

  package init(_ value: Value, _ source: SettingSource) {
    self.value = value
    self.source = source
  }
}

/// Why the settings of a client cannot be used; the text says what to do.
package struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) {
    self.description = description
  }
}

/// How the commands that call a server reach it: options win over the environment, which wins over
/// the files that `hito serve` leaves in its data directory.
package struct ClientSettings: Sendable, Hashable {
  package var address: Setting<Address>
  /// PEM file of the authority to trust; nil means the system's.
  package var authorityFile: Setting<String?>
  package var token: Setting<String?>

  /// What the command line gives.
  package struct Options: Sendable {
    package var address: String?
    package var authorityFile: String?
    package var token: String?

    package init(address: String? = nil, authorityFile: String? = nil, token: String? = nil) {
      self.address = address
      self.authorityFile = authorityFile
      self.token = token
    }
  }

  /// - Parameters:
  ///   - dataDirectory: of the server on this machine, if it may have one.
  ///   - contents: reads a file; nil where it is not there or may not be read.
  package init(
    _ options: Options, environment: [String: String], dataDirectory: String?,
    contents: (String) -> String?
  ) throws(SettingsError) {
    func given(_ option: String?, _ name: String, _ variable: String) -> Setting<String>? {
      if let option { return Setting(option, .option(name)) }
      guard let value = environment[variable], !value.isEmpty else { return nil }
      return Setting(value, .environment(variable))
    }
    if let text = given(options.address, "--address", "HITO_ADDRESS") {
      guard let parsed = Address(text.value) else {
        throw SettingsError(
          "\(text.value) (\(text.source)) is no address: write host:port, for example "
            + "localhost:\(Address.portDefault)")
      }
      address = Setting(parsed, text.source)
    } else {
      address = Setting(Address(host: "127.0.0.1", port: Address.portDefault), .builtIn)
    }
    if let file = given(options.authorityFile, "--ca", "HITO_CA") {
      let isSystem = file.value == "system"
      guard isSystem || contents(file.value) != nil else {
        throw SettingsError("\(file.value) (\(file.source)) cannot be read")
      }
      authorityFile = Setting(isSystem ? nil : file.value, file.source)
    } else if let path = dataDirectory.map({ "\($0)/tls/ca.pem" }), contents(path) != nil {
      authorityFile = Setting(path, .file(path))
    } else {
      authorityFile = Setting(nil, .builtIn)
    }
    if let given = given(options.token, "--token", "HITO_TOKEN") {
      token = Setting(try Self.checked(given), given.source)
    } else if let path = dataDirectory.map({ "\($0)/admin.token" }), let text = contents(path) {
      token = Setting(try Self.checked(Setting(text, .file(path))), .file(path))
    } else {
      token = Setting(nil, .builtIn)
    }
  }

  private static func checked(_ given: Setting<String>) throws(SettingsError) -> String? {
    let token = given.value.split(whereSeparator: \.isWhitespace)
    if token.isEmpty { return nil }
    guard token.count == 1, let only = token.first, only.utf8.count <= 256 else {
      throw SettingsError("the token (\(given.source)) must be one word of at most 256 bytes")
    }
    return String(only)
  }
}
