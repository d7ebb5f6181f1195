/// Leaves out what a model thinks aloud before it replies, and the token that ends its turn where a
/// server lets it through. Pure; a reply is the same however it is cut into pieces.
///
///     start ── `<think>` ──▶ thinking ── `</think>` ──▶ start ── anything else ──▶ text
///
/// Thoughts that the prompt's template has opened have no beginning: where the end of thoughts stands
/// in a line of its own, what came before is void. Holds back no more than a tag.
struct ThoughtFilterMachine: Sendable {
  struct Output: Sendable, Hashable {
    /// What can be shown.
    var text = ""
    /// What was shown before is void.
    var isAnew = false
  }

  private enum State: Sendable {
    case start
    case thinking(end: [UInt8])
    case text
  }

  private static let tags: [(begin: [UInt8], end: [UInt8])] =
    [
      ("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>"),
      ("<thoughts>", "</thoughts>"), ("<reasoning>", "</reasoning>"),
      ("<reflection>", "</reflection>"), ("<analysis>", "</analysis>"),
      ("<scratchpad>", "</scratchpad>"), ("<seed:think>", "</seed:think>"),
      ("[think]", "[/think]"), ("\u{25c1}think\u{25b7}", "\u{25c1}/think\u{25b7}"),
      ("<|begin_of_thought|>", "<|end_of_thought|>"),
      ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ].map { (Array($0.0.utf8), Array($0.1.utf8)) }
  private static let turnEnds = [
    "<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<|return|>",
    "<|eom_id|>", "</s>", "<end_of_turn>", "<eos>", "<|eos|>",
  ].map { Array($0.utf8) }
  private static let tagByteCountMax = 40
  /// Blanks that a reply may begin with until they are taken for a part of it.
  private static let blankCountMax = 1024

  private var state = State.start
  /// What cannot be told yet; a slice, so that many tags in one piece cost no copies of it.
  private var held: ArraySlice<UInt8> = []
  /// The line that was begun, as far as it may be a tag.
  private var line: [UInt8] = []
  private var hasThought = false

  mutating func take(_ piece: String) -> Output {
    held += piece.utf8
    var output: [UInt8] = []
    var isAnew = false
    while step(&output, &isAnew) {}
    return Output(text: String(decoding: output, as: UTF8.self), isAnew: isAnew)
  }

  /// The reply has ended: what was held back of it.
  mutating func end() -> Output {
    defer { held = [] }
    switch state {
    case .thinking: return Output()
    case .start where hasThought && held.allSatisfy(Self.isBlank): return Output()
    case .start, .text: break
    }
    if !hasThought, Self.isThoughtEnd(line + held.prefix(Self.tagByteCountMax)) {
      return Output(isAnew: true)
    }
    if Self.turnEnds.contains(Self.folded(Self.trimmed(held))) { return Output() }
    return Output(text: String(decoding: held, as: UTF8.self))
  }

  /// Whether there is another step in what is held.
  private mutating func step(_ output: inout [UInt8], _ isAnew: inout Bool) -> Bool {
    switch state {
    case .start: return begin()
    case .thinking(let end):
      guard let found = Self.place(of: end, in: held) else {
        held.removeFirst(max(0, held.count - end.count + 1))
        return false
      }
      held.removeFirst(found + end.count)
      state = .start
      return true
    case .text:
      if let end = orphanedEnd() {
        held.removeFirst(end)
        output = []
        isAnew = true
        hasThought = true
        state = .start
        return true
      }
      let shown = held.dropLast(heldBackCount)
      output += shown
      note(shown)
      held.removeFirst(shown.count)
      return false
    }
  }

  private mutating func begin() -> Bool {
    let blankCount = held.prefix(while: Self.isBlank).count
    let rest = held.dropFirst(blankCount)
    if rest.isEmpty {
      guard blankCount > Self.blankCountMax else { return false }
      if hasThought { held = [] } else { state = .text }
      return !hasThought
    }
    let head = Self.folded(rest.prefix(Self.tagByteCountMax))
    if let tag = Self.tags.first(where: { head.starts(with: $0.begin) }) {
      held.removeFirst(blankCount + tag.begin.count)
      hasThought = true
      state = .thinking(end: tag.end)
      return true
    }
    if Self.tags.contains(where: { $0.begin.starts(with: head) }) { return false }
    if hasThought { held.removeFirst(blankCount) }
    state = .text
    return true
  }

  /// Behind a line of `held` that is nothing but the end of thoughts.
  private func orphanedEnd() -> Int? {
    guard !hasThought else { return nil }
    var start = held.startIndex
    var before = line
    while let newline = held[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let rest = held[start..<newline]
      if before.count + rest.count <= Self.tagByteCountMax, Self.isThoughtEnd(before + rest) {
        return newline + 1 - held.startIndex
      }
      before = []
      start = newline + 1
    }
    return nil
  }

  /// Keeps the line that is begun, where it is short.
  private mutating func note(_ shown: ArraySlice<UInt8>) {
    let tail: ArraySlice<UInt8>
    if let newline = shown.lastIndex(of: UInt8(ascii: "\n")) {
      line = []
      tail = shown[(newline + 1)...]
    } else {
      tail = shown
    }
    guard line.count <= Self.tagByteCountMax else { return }
    line += tail.prefix(Self.tagByteCountMax + 1)
  }

  /// How much of the end of `held` may be the end of the turn.
  private var heldBackCount: Int {
    let tail = held.suffix(Self.tagByteCountMax)
    guard let start = tail.lastIndex(of: UInt8(ascii: "<")) else { return 0 }
    let mark = Self.folded(Self.trimmed(held[start...]))
    let isOpen = mark.count == held.endIndex - start
    let isEnd = Self.turnEnds.contains { isOpen ? $0.starts(with: mark) : $0 == mark }
    return isEnd ? held.endIndex - start : 0
  }

  private static func isThoughtEnd(_ line: [UInt8]) -> Bool {
    let line = folded(trimmed(line[...]))
    return tags.contains { $0.end == line }
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let start = bytes.drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return [] }
    return start[...last]
  }

  private static func folded(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.map(lowercased) }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  /// From the start of `bytes`.
  private static func place(of tag: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= tag.count else { return nil }
    return (0...bytes.count - tag.count).first { start in
      tag.indices.allSatisfy { lowercased(bytes[bytes.startIndex + start + $0]) == tag[$0] }
    }
  }
}
