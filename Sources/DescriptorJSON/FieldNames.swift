/// The two spellings of a field's name (proto3 JSON mapping).
enum FieldNames {
  /// `display_name` as `displayName`, the way protoc derives JSON names.
  static func camelCase(_ name: some StringProtocol) -> String {
    var result = ""
    var isUpper = false
    for character in name.unicodeScalars {
      if character == "_" {
        isUpper = true
      } else {
        result.unicodeScalars.append(isUpper ? character.asciiUppercase : character)
        isUpper = false
      }
    }
    return result
  }

  /// `displayName` as `display_name`.
  static func snakeCase(_ name: some StringProtocol) -> String {
    var result = ""
    for character in name.unicodeScalars {
      if ("A"..."Z").contains(character) { result.append("_") }
      result.unicodeScalars.append(character.asciiLowercase)
    }
    return result
  }
}

extension Unicode.Scalar {
  fileprivate var asciiUppercase: Unicode.Scalar {
    ("a"..."z").contains(self) ? Unicode.Scalar(UInt8(value) - 32) : self
  }

  fileprivate var asciiLowercase: Unicode.Scalar {
    ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 32) : self
  }
}
