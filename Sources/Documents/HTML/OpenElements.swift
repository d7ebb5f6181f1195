/// The elements that are open, from the outermost in, as far as they matter for the text. The rules are
/// those of section 13.2.6 ("Tree construction") of the WHATWG's HTML standard for end tags that are
/// left out; nothing is moved about as that does.
struct OpenElements {
  struct Element {
    let name: String
    let role: HTMLRole
  }

  private(set) var elements: [Element] = []
  /// How many there are of each name: most end tags without an element need no search.
  private var counts: [String: Int] = [:]

  var count: Int { elements.count }

  mutating func push(_ name: String, _ role: HTMLRole) {
    elements.append(Element(name: name, role: role))
    counts[name, default: 0] += 1
  }

  mutating func pop() -> Element? {
    guard let last = elements.popLast() else { return nil }
    counts[last.name, default: 1] -= 1
    return last
  }

  func contains(_ name: String) -> Bool { counts[name, default: 0] > 0 }

  /// How many elements an end tag closes.
  func depth(ofEnd name: String, _ role: HTMLRole) -> Int {
    if role.isHeading {
      // `</h3>` closes an `<h2>`.
      return depth(until: { $0.role.isHeading }, stop: { $0.isScope })
    }
    guard contains(name) else { return 0 }
    func isStop(_ scope: HTMLRole) -> Bool {
      switch role {
      case .table: false
      case .row, .cell: scope == .table
      case .item: scope.isScope || scope == .list
      default: scope.isScope
      }
    }
    return depth(until: { $0.name == name }, stop: isStop)
  }

  /// How many elements a start tag closes, whose end tags were left out.
  func depth(ofStart role: HTMLRole) -> Int {
    switch role {
    case .cell: depth(until: { $0.role == .cell }, stop: { $0 == .table || $0.isHidden })
    case .row, .rowGroup:
      max(
        depth(until: { $0.role == .row }, stop: { $0 == .table || $0.isHidden }),
        depth(until: { $0.role == .cell }, stop: { $0 == .table || $0.isHidden }))
    case .item:
      depth(until: { $0.role == .item }, stop: { $0.isScope || $0 == .list || $0.isHidden })
    case .heading:
      max(
        depth(until: { $0.role.isHeading }, stop: { $0.isScope || $0.isHidden }),
        depth(until: { $0.role == .listing }, stop: { $0.isScope || $0.isHidden }))
    default: 0
    }
  }

  /// How many elements are open from the innermost one that is meant on; 0 where there is none
  /// before the one that stops the search.
  private func depth(
    until isMeant: (Element) -> Bool, stop: (HTMLRole) -> Bool
  ) -> Int {
    var depth = 0
    for element in elements.reversed() {
      depth += 1
      if isMeant(element) { return depth }
      if stop(element.role) { return 0 }
    }
    return 0
  }
}
