import Contract
import Domain
import RPC

@testable import Service

/// `how | text`: cursors, receipts, steps, places in groups and page tokens. What a client invents is
/// refused; what is sealed is judged by what it says, and never ends the process.
enum CursorEntry {
  private static let codec = CursorCodec(secret: [UInt8](repeating: 7, count: 32)) { .unnamed }

  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let isSealed = input.flag()
    guard let text = String(validating: input.remainder(), as: UTF8.self) else { return }
    let token = isSealed ? codec.sealed(text) : text
    if !isSealed {
      require((try? codec.point(token)) == nil, "an invented cursor")
      require(text.isEmpty || (try? codec.groupPlace(token)) == nil, "an invented place")
    }
    if case .position(let place)? = try? codec.point(token) {
      require(place.firstCut == nil || text.contains("-"), "a cut that the text does not say")
    }
    if let place = try? codec.groupPlace(token) {
      require((try? codec.groupPlace(codec.cursor(place))) == place, "a place that is not kept")
    }
    _ = codec.namedPlace(token)
    _ = EntityID(hexadecimal: text[...])
    if let decoded = Base64URL.decode(text) {
      require(Base64URL.encode(decoded) == text, "two texts of one token")
    }
    let method = MethodDescriptor(path: "fuzz/List", kind: .unary, isReadOnly: true)
    let request = ListGoalsRequest(page: Contract.PageRequest(pageToken: text))
    let paging = try? Paging(
      request, CallContext(method: method),
      Domain.Caller(userID: EntityID(high: 1, low: 2), role: .learner), codec)
    require(text.isEmpty || paging == nil, "an invented page token")
  }
}
