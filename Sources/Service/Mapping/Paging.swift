internal import Contract
internal import Domain
internal import OpenSSL
internal import RPC

/// Pages of one list request of one caller.
///
/// A token is `version | time | id | mark`; the mark seals the method, the caller, the rest of the
/// request and the key, so that a token of another list is refused instead of giving a list with
/// holes. Whatever the token, the repository shows only what is the caller's.
struct Paging: Sendable {
  private static let version: UInt8 = 2
  /// What the items of one reply may take: half of the message limit that clients have by default.
  static let replyByteCountMax = 2 << 20
  /// What a token is bound to.
  private let binding: [UInt8]
  private let seal: Seal

  let request: Domain.PageRequest

  init(
    _ request: some PagedRequest, _ context: CallContext, _ caller: Caller, _ cursors: CursorCodec
  ) throws {
    let page = request.page ?? Contract.PageRequest()
    let limit = try Paging.limit(page.pageSize, field: "page.page_size")
    var rest = request
    rest.page = nil
    var hash = SHA256()
    hash.update(context.method.path.utf8)
    hash.update(caller.userID.bytes)
    hash.update(rest.encodedBytes())
    binding = hash.finalize()
    seal = cursors.pageSeal
    let after =
      page.pageToken.isEmpty
      ? nil : try Paging.key(page.pageToken, bound: binding, sealed: seal)
    self.request = Domain.PageRequest(limit: limit, after: after)
  }

  /// How many items a page is to hold.
  static func limit(_ pageSize: Int32, field: String) throws(DomainError) -> Int {
    let maximum = Domain.PageRequest.limitMax
    guard pageSize >= 0, pageSize <= maximum else {
      throw .invalid(field, "must be 0 to \(maximum)")
    }
    return pageSize == 0 ? Domain.PageRequest.limitDefault : Int(pageSize)
  }

  func info(_ next: PageKey?) -> PageInfo {
    guard let next else { return PageInfo() }
    let body = Paging.body(next)
    return PageInfo(nextPageToken: Base64URL.encode(body + seal.mark(of: binding + body)))
  }

  /// The page as messages: all of it, or, where they are large, as many as one reply holds; the
  /// rest comes with the next page. At least one, so that a reader always gets on.
  func fitting<Item: Sendable, Message: WireMessage>(
    _ page: Page<Item>, key: (Item) -> PageKey, _ message: (Item) -> Message
  ) -> (messages: [Message], info: PageInfo) {
    var messages: [Message] = []
    var byteCount = 0
    for (index, item) in page.items.enumerated() {
      let next = message(item)
      byteCount += next.encodedByteCount
      if byteCount > Paging.replyByteCountMax, index > 0 {
        return (messages, info(key(page.items[index - 1])))
      }
      messages.append(next)
    }
    return (messages, info(page.next))
  }

  private static func body(_ key: PageKey) -> [UInt8] {
    let time = UInt64(bitPattern: key.time.microsecondsSinceEpoch)
    return [version] + (0..<8).map { UInt8(truncatingIfNeeded: time >> UInt64(56 - $0 * 8)) }
      + key.id.bytes
  }

  private static func key(
    _ token: String, bound binding: [UInt8], sealed seal: Seal
  ) throws(RPCError) -> PageKey {
    guard token.utf8.count <= 64, let bytes = Base64URL.decode(token),
      bytes.count == 25 + Seal.byteCount, bytes[0] == version
    else { throw .badPageToken() }
    let body = Array(bytes.prefix(25))
    guard seal.isMark(Array(bytes.suffix(Seal.byteCount)), of: binding + body) else {
      throw .badPageToken()
    }
    func word(_ start: Int) -> UInt64 {
      body[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
    return PageKey(
      time: Domain.Timestamp(microsecondsSinceEpoch: Int64(bitPattern: word(1))),
      id: EntityID(high: word(9), low: word(17)))
  }
}
