package import Domain

/// A part of a document that is found and embedded on its own.
package struct DocumentChunk: Sendable, Hashable {
  /// Anchor of the section that it is of.
  package var anchor: String
  /// The section's own heading; empty before the first one.
  package var title: String
  /// The headings down to the section, an empty line, and a part of its text.
  package var content: String

  package init(anchor: String, title: String, content: String) {
    self.anchor = anchor
    self.title = title
    self.content = content
  }
}

/// Cuts the sections of a document into chunks. Pure, and takes time in proportion to the text.
///
/// A chunk never spans two sections. It holds whole paragraphs and listings where they fit, else
/// whole sentences and lines; only a sentence or a line that is longer than a chunk may be is cut.
package struct Chunker: Sendable {
  /// No chunk has more tokens.
  package var tokenCountMax: Int
  /// Where a chunk ends, once it has so many.
  package var tokenCountAim: Int
  /// Tokens of a text. They must add up: a text has no more than its words, line breaks and
  /// the blanks between words together.
  package var count: @Sendable (String) -> Int

  package init(
    tokenCountMax: Int = 512, tokenCountAim: Int = 200,
    count: @escaping @Sendable (String) -> Int = TokenEstimate.count
  ) {
    self.tokenCountMax = tokenCountMax
    self.tokenCountAim = min(tokenCountAim, tokenCountMax)
    self.count = count
  }

  package func chunks(of sections: [DocumentSection]) -> [DocumentChunk] {
    sections.flatMap(chunks)
  }

  private static let paragraphEnd = "\n\n"

  private func chunks(of section: DocumentSection) -> [DocumentChunk] {
    let head = heading(section.headings)
    let headCount = count(head) + count(Self.paragraphEnd)
    let room = tokenCountMax - headCount
    let aim = max(tokenCountAim - headCount, room / 4)
    var bodies: [String] = []
    var body = ""
    var bodyCount = 0
    for part in section.blocks.flatMap({ parts(of: $0, aim: aim, room: room) }) {
      let separated = count(part.separator) + part.tokenCount
      if !body.isEmpty, bodyCount + separated > aim {
        bodies.append(body)
        (body, bodyCount) = ("", 0)
      }
      bodyCount += body.isEmpty ? part.tokenCount : separated
      body += body.isEmpty ? part.text : part.separator + part.text
    }
    if !body.isEmpty { bodies.append(body) }
    if section.blocks.isEmpty, !head.isEmpty {
      return [
        DocumentChunk(
          anchor: section.anchor, title: section.headings.last ?? "", content: head)
      ]
    }
    return bodies.map { body in
      DocumentChunk(
        anchor: section.anchor, title: section.headings.last ?? "",
        content: head.isEmpty ? body : head + Self.paragraphEnd + body)
    }
  }

  /// The headings in one line; the outer ones go where they would take the room of the text.
  private func heading(_ headings: [String]) -> String {
    var shown: [String] = []
    var total = 0
    for heading in headings.reversed() {
      // One for the sign between two headings.
      total += count(heading) + 1
      if total > tokenCountMax / 4 { break }
      shown.insert(heading, at: 0)
    }
    if shown.isEmpty, let last = headings.last {
      shown = pieces(of: last, room: tokenCountMax / 4).prefix(1).map(\.text)
    }
    return shown.joined(separator: " › ")
  }

  /// A text that is not cut any more.
  private struct Part {
    var text: String
    var tokenCount: Int
    /// What stands between it and a part before it.
    var separator: String
  }

  private func parts(of block: DocumentBlock, aim: Int, room: Int) -> [Part] {
    let (text, isCode) =
      switch block {
      case .prose(let text): (text, false)
      case .code(let text, _): (text, true)
      }
    let whole = count(text)
    if whole <= aim { return [Part(text: text, tokenCount: whole, separator: Self.paragraphEnd)] }
    let units = isCode ? Self.lines(of: text) : Self.sentences(of: text)
    var parts: [Part] = []
    for unit in units {
      let unitCount = count(unit)
      let separator = parts.isEmpty ? Self.paragraphEnd : isCode ? "\n" : " "
      guard unitCount > room else {
        parts.append(Part(text: unit, tokenCount: unitCount, separator: separator))
        continue
      }
      for (index, piece) in pieces(of: unit, room: room).enumerated() {
        parts.append(
          Part(
            text: piece.text, tokenCount: piece.tokenCount,
            separator: index == 0 ? separator : piece.isWord ? " " : ""))
      }
    }
    return parts
  }

  private static func lines(of text: String) -> [String] {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
  }

  /// Cut after a full stop, question or exclamation mark that white space follows, and at ends of
  /// lines.
  static func sentences(of text: String) -> [String] {
    var sentences: [String] = []
    var sentence = ""
    var isEnd = false
    for character in text {
      if character.isWhitespace, isEnd || character.isNewline {
        while sentence.last?.isWhitespace == true { sentence.removeLast() }
        if !sentence.isEmpty { sentences.append(sentence) }
        sentence = ""
        isEnd = false
        continue
      }
      if character.isWhitespace, sentence.isEmpty { continue }
      sentence.append(character)
      switch character {
      case ".", "?", "!", "…", "。": isEnd = true
      case ")", "\"", "'", "»", "”": break
      default: isEnd = false
      }
    }
    if !sentence.isEmpty { sentences.append(sentence) }
    return sentences
  }

  private struct Piece {
    var text: String
    var tokenCount: Int
    /// A blank stood before it.
    var isWord: Bool
  }

  /// Cuts what nothing else cuts: between words, and within words where they are too long as well.
  private func pieces(of text: String, room: Int) -> [Piece] {
    let room = max(room, 1)
    var pieces: [Piece] = []
    for word in text.split(whereSeparator: \.isWhitespace).map(String.init) {
      let wordCount = count(word)
      if wordCount <= room {
        if let last = pieces.last, last.tokenCount + wordCount <= room {
          pieces[pieces.count - 1].text += " " + word
          pieces[pieces.count - 1].tokenCount += wordCount
        } else {
          pieces.append(Piece(text: word, tokenCount: wordCount, isWord: true))
        }
        continue
      }
      // No scalar has more than a few tokens, so slices of `room / 4` scalars always fit.
      var scalars = Substring(word).unicodeScalars
      var isFirst = true
      while !scalars.isEmpty {
        let slice = String(String.UnicodeScalarView(scalars.prefix(max(room / 4, 1))))
        scalars = scalars.dropFirst(max(room / 4, 1))
        pieces.append(Piece(text: slice, tokenCount: count(slice), isWord: isFirst))
        isFirst = false
      }
    }
    return pieces
  }
}
