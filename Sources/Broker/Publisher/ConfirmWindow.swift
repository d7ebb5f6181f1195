/// What was published on a channel and is not confirmed yet, in the order of its tags.
///
/// ```
///   published ──▶ unconfirmed ── confirmed, one or all up to a tag ──▶ settled ── all before it too ──▶ gone
///                             ── rejected ──▶ the window is spoilt: a new connection begins after the
///                                             last position that is known to be stored
/// ```
/// Confirms come in any order; a position counts only once everything before it is confirmed. A tag that
/// was never given is the broker's error. A pure value.
struct ConfirmWindow: Sendable, Hashable {
  struct Limits: Sendable, Hashable {
    var count = 2000
    var byteCount = 16 << 20
  }

  /// What a confirmation leads to.
  enum Action: Sendable, Hashable {
    case none
    /// Everything up to this position is stored.
    case advance(to: Int64)
    /// The message of this position was not taken.
    case resend(from: Int64)
    /// No such tag was given.
    case misuse
  }

  private struct Entry: Sendable, Hashable {
    var position: Int64
    var byteCount: Int
    var isSettled = false
  }

  let limits: Limits
  /// Those before `head` are gone.
  private var entries: [Entry] = []
  private var head = 0
  /// The tag of `entries[head]`.
  private var firstTag: UInt64 = 1
  private(set) var byteCount = 0
  private(set) var unsettledCount = 0

  init(limits: Limits = Limits()) { self.limits = limits }

  var isEmpty: Bool { head == entries.count }

  /// Whether another message may be sent. One may be larger than the window.
  var hasRoom: Bool {
    isEmpty || entries.count - head < limits.count && byteCount < limits.byteCount
  }

  /// The largest message in it.
  var largestByteCount: Int { entries[head...].map(\.byteCount).max() ?? 0 }

  mutating func published(position: Int64, byteCount count: Int) {
    entries.append(Entry(position: position, byteCount: count))
    byteCount += count
    unsettledCount += 1
  }

  mutating func confirmed(tag: UInt64, isMultiple: Bool) -> Action {
    guard let range = indices(tag, isMultiple) else { return .misuse }
    for index in range where !entries[index].isSettled {
      entries[index].isSettled = true
      unsettledCount -= 1
    }
    return dropSettled()
  }

  mutating func rejected(tag: UInt64, isMultiple: Bool) -> Action {
    guard let range = indices(tag, isMultiple) else { return .misuse }
    guard let first = range.first(where: { !entries[$0].isSettled }) else { return .none }
    return .resend(from: entries[first].position)
  }

  /// Nil for a tag that was not given. Of what is gone already, nothing is left: an empty range.
  private func indices(_ tag: UInt64, _ isMultiple: Bool) -> Range<Int>? {
    let end = firstTag + UInt64(entries.count - head)
    // Zero with `multiple` means everything so far.
    if tag == 0 { return isMultiple ? head..<entries.count : nil }
    guard tag < end else { return nil }
    guard tag >= firstTag else { return head..<head }
    let index = head + Int(tag - firstTag)
    return isMultiple ? head..<(index + 1) : index..<(index + 1)
  }

  private mutating func dropSettled() -> Action {
    let start = head
    while head < entries.count, entries[head].isSettled {
      byteCount -= entries[head].byteCount
      head += 1
    }
    guard head > start else { return .none }
    let position = entries[head - 1].position
    firstTag += UInt64(head - start)
    if head == entries.count || head >= 4096 {
      entries.removeFirst(head)
      head = 0
    }
    return .advance(to: position)
  }
}
