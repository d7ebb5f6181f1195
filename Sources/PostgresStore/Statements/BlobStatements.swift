import Domain

/// The large contents of events. They are inserted, read by the server's own work, and never changed.
enum BlobStatements {
  /// Each content once, in one order everywhere, so that no two writers wait for each other.
  static let insert = Query<[EntityID], [Bytes], [String]>(
    "blobs.insert",
    """
    INSERT INTO event_blobs (user_id, hash, content)
    SELECT n.user_id, n.hash, n.content FROM unnest($1, $2, $3) AS n (user_id, hash, content)
    ORDER BY n.user_id, n.hash
    ON CONFLICT (user_id, hash) DO NOTHING
    """)

  static let find = Query<[EntityID], [Bytes]>(
    "blobs.find",
    """
    SELECT b.user_id, b.hash, b.content FROM unnest($1, $2) AS n (user_id, hash)
    JOIN event_blobs b ON b.user_id = n.user_id AND b.hash = n.hash
    """)

  /// After the owner `$1` and the hash `$2`, at most `$3`.
  static let page = Query<EntityID, Bytes, Int64>(
    "blobs.page",
    """
    SELECT b.user_id, b.hash, b.content FROM event_blobs b
    WHERE (b.user_id, b.hash) > ($1, $2) ORDER BY b.user_id, b.hash LIMIT $3
    """)

  static func insert(_ blobs: [EventBlob]) -> StatementCall {
    insert(
      blobs.map(\.reference.ownerID), blobs.map { Bytes($0.reference.hash) },
      blobs.map(\.content))
  }

  static func read(_ row: Row) throws(StoreError) -> EventBlob {
    let (owner, hash, content): (EntityID, Bytes, String) = try row.values()
    return EventBlob(
      reference: BlobReference(ownerID: owner, hash: hash.bytes), content: content)
  }

  static let all: [any StatementSource] = [insert, find, page]
}
