/// What an element is to who reads its text.
enum HTMLRole: Equatable {
  /// Within a line: its text is that of what it is in.
  case inline
  /// Parts the text before from the text after; nothing depends on where it ends.
  case boundary
  /// The same, and closes what is open in it when it ends.
  case block
  /// Nothing of it is text.
  case hidden
  /// SVG and MathML: hidden, with rules of their own.
  case foreign
  case listing
  case heading(Int)
  case title
  case table
  case rowGroup
  case row
  case cell
  case list
  case item
  case lineBreak
  case image
  /// Has neither text nor an end.
  case void

  /// Whether it is kept among the open elements until its end.
  var isKept: Bool {
    switch self {
    case .inline, .boundary, .rowGroup, .lineBreak, .image, .void: false
    default: true
    }
  }

  var isHeading: Bool { if case .heading = self { true } else { false } }

  var isHidden: Bool { self == .hidden || self == .foreign }

  /// Whether end tags within do not reach beyond it, but those of tables.
  var isScope: Bool { self == .table || self == .cell }

  /// An element that the table does not know is an author's own, and parts texts as a block does.
  static func of(_ name: String) -> HTMLRole { roles[name] ?? .boundary }

  private static let roles: [String: HTMLRole] = {
    var roles: [String: HTMLRole] = [
      "table": .table, "tr": .row, "td": .cell, "th": .cell, "li": .item, "br": .lineBreak,
      "img": .image, "image": .image, "title": .title, "svg": .foreign, "math": .foreign,
    ]
    for level in 1...6 { roles["h\(level)"] = .heading(level) }
    func add(_ role: HTMLRole, _ names: String) {
      for name in names.split(separator: " ") { roles[String(name)] = role }
    }
    add(
      .inline,
      """
      a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rb rp \
      rt rtc ruby s samp slot small span strike strong sub sup time tt u var wbr
      """)
    add(
      .block,
      """
      address article aside blockquote body caption center details dialog div dl fieldset figcaption \
      figure footer form header hgroup html main nav search section summary
      """)
    add(.hidden, "script style template noscript iframe object select datalist noembed noframes")
    add(.listing, "pre listing xmp plaintext")
    add(.rowGroup, "tbody thead tfoot")
    add(.list, "ul ol menu dir")
    add(.void, "area base basefont bgsound col embed input link meta param source track")
    return roles
  }()
}
