internal import Digits
internal import Domain
internal import OpenSSL
internal import RPC

/// Where a client is in a group of validations, whose items end in any order.
struct GroupPlace: Sendable, Hashable {
  static let maskCountMax = 128

  var groupID: EntityID
  /// The items before this one were told of.
  var count: Int
  /// Beside `count`, the items whose end was told, one bit each; from where is the stream's to say.
  var mask: UInt128 = 0
}

extension CursorCodec {
  func cursor(_ place: GroupPlace) -> String {
    sealed(
      "g1_" + Digits.hexadecimal(place.groupID.high) + Digits.hexadecimal(place.groupID.low)
        + Digits.hexadecimal(UInt32(clamping: place.count)) + String(place.mask, radix: 16))
  }

  /// - Returns: nil for an empty text.
  func groupPlace(_ text: String) throws(RPCError) -> GroupPlace? {
    if text.isEmpty { return nil }
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard text.utf8.count <= 128, parts.count == 3, parts[0] == "g1" else {
      throw .badCursor("is not one of a group of validations")
    }
    let body = parts[1]
    let mark = Digits.hexadecimal(seal.mark(of: Array("g1_\(body)".utf8)))
    guard isEqualSecret(Array(mark.utf8), Array(parts[2].utf8)) else {
      throw .badCursor("is damaged or of another deployment")
    }
    guard let id = EntityID(hexadecimal: body.prefix(32)),
      let count = UInt32(body.dropFirst(32).prefix(8), radix: 16),
      let mask = UInt128(body.dropFirst(40), radix: 16)
    else { throw .badCursor("is of a version that this server does not know") }
    return GroupPlace(groupID: id, count: Int(count), mask: mask)
  }
}
