import Documents
import Domain
import Retrieval
import Testing

/// Inputs made to hurt: each is read or refused, in time, and never ends the process.
@Suite(.timeLimit(.minutes(2))) struct `A hostile document` {
  private static let size = 1 << 16

  private static func filled(_ text: String) -> String {
    String(repeating: text, count: size / text.utf8.count)
  }

  static let markdown: [String: String] = [
    "brackets": filled("["), "images": filled("!["), "quotes": String(repeating: ">", count: 6_000),
    "backticks": filled("`"), "emphasis": filled("*a_"), "links in lines": filled("[a](b)\n"),
    "titles over lines": filled("[a](b \"\n"), "images over lines": filled("![a](b\n)"),
    "definitions": filled("[a]: b\n'x\n"), "references": filled("[a\n]"),
    "with carriage returns": filled("[a](b)\r\n"),
    "a long address": "[a]: \(String(repeating: "x", count: 30_000))\n\n"
      + String(repeating: "[a] ", count: 6_000),
    "columns": String(repeating: "|a", count: 6_000) + "\n"
      + String(repeating: "|-", count: 6_000) + "\n",
    "rows": "|a|b|\n|-|-|\n" + filled("|\n"), "bullets": filled("- "), "numbers": filled("1. "),
    "deep lists": (0..<350).map { String(repeating: " ", count: $0) + "- a\n" }.joined(),
    "comments": filled("a<!--"), "tags": filled("<a "), "entities": filled("&a;\n"),
    "HTML blocks": filled("<b>\n\n"), "headings": String(repeating: "# h\n\na\n\n", count: 6_000),
    "empty headings": filled("#\n"), "blank lines": filled("\n"), "spaces": filled(" "),
    "front matter": "---\n" + filled("a: b\n"), "slashes": filled("/// a | b\n"),
    "scripts": filled("<script>\n\n"), "ampersands": filled("&"),
  ]

  static let html: [String: String] = [
    "nesting": filled("<div>"), "inline nesting": filled("<b>"),
    "attributes": "<a " + (0..<9_000).map { "a\($0) " }.joined() + ">",
    "attributes in chunks": filled("<a " + (0..<2000).map { "a\($0) " }.joined() + ">"),
    "quoted attributes": "<a x=\">\" =\" " + (0..<9_000).map { "a\($0)=''" }.joined() + ">",
    "an open tag": "<a href=\"" + filled("x"), "an open comment": "<!--" + filled("-"),
    "less-than signs": filled("<"), "ampersands": filled("&"), "entities": filled("&lt;"),
    "unclosed": filled("<p>a<li>b<td>"), "closing": filled("</b>"),
    "script": "<script>" + filled("<"),
    "text": filled("a "), "one word": filled("a"), "headings": filled("<h1>a</h1>b"),
    "doctype": filled("<!DOCTYPE a ["), "instructions": filled("<?a"), "rows": filled("<tr><td>a"),
    "listings": filled("<pre>"), "long data": "<img src=\"data:\(filled("AAAA"))\"><p>a</p>",
  ]

  /// Ends within the time limit of the suite, and gives nothing that is out of bounds.
  private static func check(_ text: String, _ format: DocumentFormat) {
    guard let document = try? read(text, as: format) else { return }
    #expect(document.sections.count <= 5000)
    for chunk in Chunker().chunks(of: document.sections) {
      #expect(chunk.content.utf8.count <= 20_000)
    }
  }

  @Test(arguments: markdown.keys.sorted()) func `of Markdown stays within bounds`(name: String)
    throws
  {
    Self.check(try #require(Self.markdown[name]), .markdown)
  }

  @Test(arguments: html.keys.sorted()) func `of HTML stays within bounds`(name: String) throws {
    Self.check(try #require(Self.html[name]), .html)
  }

  @Test(arguments: DocumentFormat.allCases) func `that is not text is refused`(
    format: DocumentFormat
  ) {
    let reader = StandardDocumentReader()
    #expect(throws: DocumentError.containsNUL) { try reader.read([0x61, 0, 0x62], as: format) }
    for bytes: [UInt8] in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]] {
      #expect(throws: DocumentError.notUTF8) { try reader.read(bytes, as: format) }
    }
    #expect(throws: DocumentError.self) {
      try reader.read([UInt8](repeating: 0x61, count: (2 << 20) + 1), as: format)
    }
    #expect(throws: Never.self) { try reader.read([], as: format) }
  }

  @Test func `says what it has too much of`() {
    func problem(_ text: String, _ format: DocumentFormat = .markdown) -> String {
      do {
        _ = try read(text, as: format)
        return ""
      } catch DocumentError.tooComplex(let what) {
        return what
      } catch {
        return "\(error)"
      }
    }
    #expect(problem(String(repeating: "> ", count: 200) + "a").contains("deep"))
    #expect(problem(String(repeating: "# h\n\na\n\n", count: 5001)).contains("sections"))
    #expect(problem(Self.markdown["a long address"] ?? "").contains("addresses"))
    for line in ["[a](b)\n", "[a](b)\r\n"] {
      #expect(problem(String(repeating: line, count: 60_000)).contains("empty line"))
    }
    #expect(problem(String(repeating: "<div>", count: 300) + "a", .html).contains("deep"))
    let attributes = "<a " + (0..<100_000).map { "a\($0) " }.joined() + ">"
    #expect(problem(attributes, .html).contains("attributes"))
    #expect(problem(Self.html["long data"] ?? "", .html) == "")
  }
}
