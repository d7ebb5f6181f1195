/// How a proto name is written in each language.
enum Names {
  /// `created_at` -> `createdAt`, `GetTree` -> `getTree`, `is_URL` -> `isURL`.
  static func lowerCamel(_ name: String) -> String {
    let words = name.split(separator: "_")
    guard let first = words.first else { return name }
    let head = lowerFirstWord(String(first))
    return head + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  /// `GetTree` -> `get_tree`, `GetURLs` -> `get_urls`.
  static func snake(_ name: String) -> String {
    var result = ""
    let letters = Array(name)
    for (index, letter) in letters.enumerated() {
      let previous = index > 0 ? letters[index - 1] : nil
      let followsLower = previous.map { $0.isLowercase || $0.isNumber } ?? false
      let startsWord =
        index > 0 && letters[index - 1].isUppercase
        && index + 1 < letters.count && letters[index + 1].isLowercase
        // A plural s does not start a word: URLs.
        && !(letters[index + 1] == "s" && index + 2 == letters.count)
      if letter.isUppercase, followsLower || startsWord { result += "_" }
      result += letter.lowercased()
    }
    return result
  }

  private static func lowerFirstWord(_ word: String) -> String {
    let upperCount = word.prefix { $0.isUppercase }.count
    if upperCount == word.count { return word.lowercased() }
    // `URLList` -> `urlList`, `Get` -> `get`.
    let lowered = upperCount > 1 ? upperCount - 1 : upperCount
    return word.prefix(lowered).lowercased() + word.dropFirst(lowered)
  }

  /// `hito/v1/goals.proto` -> `hito/v1/goals`.
  static func stem(_ file: String) -> String {
    file.hasSuffix(".proto") ? String(file.dropLast(".proto".count)) : file
  }

  /// `hito/v1/goals.proto` -> `goals`.
  static func base(_ file: String) -> String {
    String(stem(file).split(separator: "/").last ?? "")
  }
}

/// Names that protobuf-c gives. They follow protoc-gen-c 1.4.
enum CNames {
  /// `Hito__V1__Goal`.
  static func type(_ name: ProtoName) -> String {
    parts(name).map(camel).joined(separator: "__")
  }

  /// `hito__v1__goal__init`.
  static func initializer(_ name: ProtoName) -> String {
    parts(name).map(snake).joined(separator: "__") + "__init"
  }

  static func field(_ name: String) -> String {
    let lower = name.lowercased()
    return keywords.contains(lower) ? lower + "_" : lower
  }

  static func count(_ field: String) -> String { "n_" + self.field(field) }

  static func oneofCase(_ oneof: String) -> String { snake(oneof) + "_case" }

  private static func parts(_ name: ProtoName) -> [String] {
    name.full.split(separator: ".").map(String.init)
  }

  private static func camel(_ part: String) -> String {
    part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }

  private static func snake(_ part: String) -> String {
    var result = ""
    var wasUpper = true
    for letter in part {
      if letter.isUppercase, !wasUpper { result += "_" }
      result += letter.lowercased()
      wasUpper = letter.isUppercase
    }
    return result
  }

  private static let keywords: Set<String> = [
    "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "class", "compl", "const", "const_cast", "continue", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "extern", "false", "float", "for", "friend", "goto",
    "if", "inline", "int", "long", "mutable", "namespace", "new", "not", "not_eq", "operator", "or",
    "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "return", "short",
    "signed", "sizeof", "static", "static_cast", "struct", "switch", "template", "this", "throw",
    "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void",
    "volatile", "wchar_t", "while", "xor", "xor_eq",
  ]
}

/// Names in generated Swift.
enum SwiftNames {
  /// `Goal.Label`; types of `google.protobuf` that would hide one of the standard library get
  /// another name.
  static func type(_ name: ProtoName) -> String {
    name.path.indices.map { index in
      declaration(
        ProtoName(
          packageName: name.packageName, path: Array(name.path[...index]), file: name.file))
    }.joined(separator: ".")
  }

  /// The name as written where the type is declared.
  static func declaration(_ name: ProtoName) -> String {
    if name.packageName == "google.protobuf", name.path == ["Duration"] { return "ProtoDuration" }
    // `X.Type` and `X.Protocol` mean metatypes; a nested `String` would hide the one of the fields.
    return hiding.contains(name.simple) ? "Proto" + name.simple : name.simple
  }

  static func property(_ name: String) -> String { escaped(Names.lowerCamel(name)) }

  /// A member after a dot: only a few words need quoting there.
  static func member(_ name: String) -> String {
    ["init", "self", "Type", "Protocol"].contains(name) ? "`\(name)`" : name
  }

  /// The type of a oneof: `choice` -> `Choice`.
  static func oneofType(_ name: String) -> String {
    let camel = Names.lowerCamel(name)
    let upper = camel.prefix(1).uppercased() + camel.dropFirst()
    return hiding.contains(upper) ? upper + "Oneof" : upper
  }

  /// An escaped name where it follows a dot.
  static func plain(_ escaped: String) -> String {
    member(escaped.split(separator: "`").joined())
  }

  static func escaped(_ name: String) -> String {
    // Quoting does not help this one: inside a type, `self` is the value itself.
    if name == "self" { return "self_" }
    return keywords.contains(name) ? "`\(name)`" : name
  }

  /// `GOAL_STATUS_ACTIVE` of `GoalStatus` -> `active`.
  static func enumCase(_ value: String, of type: ProtoName) -> String {
    let prefix = Names.snake(type.simple).uppercased() + "_"
    var short = value.hasPrefix(prefix) ? String(value.dropFirst(prefix.count)) : value
    if short.isEmpty || short.first?.isNumber == true { short = value }
    let isUpper = short == short.uppercased()
    return escaped(Names.lowerCamel(isUpper ? short.lowercased() : short))
  }

  private static let hiding: Set<String> = [
    "Array", "Bool", "Codec", "Dictionary", "Double", "Duration", "Error", "Float", "Int", "Int32",
    "Int64", "Optional", "Protocol", "RPCError", "String", "Type", "UInt32", "UInt64", "UInt8",
  ]

  private static let keywords: Set<String> = [
    "Any", "Self", "Type", "Protocol", "actor", "as", "associatedtype", "async", "await", "break",
    "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else", "enum",
    "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if",
    "import", "in", "init", "inout", "internal", "is", "let", "nil", "operator", "package",
    "precedencegroup",
    "private", "protocol", "public", "repeat", "rethrows", "return", "self", "static", "struct",
    "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var", "where",
    "while",
  ]
}
