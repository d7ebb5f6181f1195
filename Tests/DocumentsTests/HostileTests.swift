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
    "admonitions": (0..<200).map { String(repeating: "    ", count: $0) + "!!! note\n" }.joined(),
    "tabs": filled("=== \"a\"\n    b\n"), "containers": filled(":::a\n"),
    "directives": (3...300).reversed().map { String(repeating: "`", count: $0) + "{note}\n" }
      .joined(),
    "options": "```{note}\n" + filled(":a: b\n"), "notes": filled("[^a]: b\n"),
    "bars": "|a|b|\n|-|-|\n" + filled("||"),
    "backticks in rows": "|a|\n|-|\n|"
      + (1...300).map { String(repeating: "`", count: $0) + "|" }.joined(),
    "delimiters": filled("|-"), "lines under heads": filled("|-|-|\n"),
    "headings of HTML": filled("a <h2>\n"),
    "raised": filled("a<sup>1"),
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
    #expect(problem(String(repeating: "#\n", count: 100_001)).contains("headings"))
    #expect(problem(String(repeating: "<h1>", count: 100_001), .html).contains("headings"))
    #expect(problem(Self.markdown["a long address"] ?? "").contains("addresses"))
    for line in ["[a](b)\n", "[a](b)\r\n"] {
      #expect(problem(String(repeating: line, count: 60_000)).contains("empty line"))
    }
    #expect(problem(String(repeating: "<div>", count: 300) + "a", .html).contains("deep"))
    #expect(problem(Self.html["long data"] ?? "", .html) == "")
  }

  @Test func `is not refused for what only looks like much`() throws {
    let attributes = "<a " + (0..<100_000).map { "a\($0) " }.joined() + ">b"
    #expect(try read(attributes, as: .html).lines == ["# [] b"])
    // An attribute that begins anywhere before any border that a parser may have.
    let prose = String(repeating: "palabra ", count: 20_000)
    for length in [1000, 1020, 1023, 1024, 1025, 4090, 4096, 8190, 65_530] {
      let page =
        "<h1>T</h1><p>\(String(repeating: "x", count: length))<a href=\"y\" title='z'>v</a></p>"
        + "<p>\(prose)</p><h2>End</h2><p>last</p>"
      let document = try read(page, as: .html)
      #expect(document.sections.map(\.anchor) == ["t", "end"])
      #expect(document.lines.last == "#end [T/End] last")
    }
  }

  static let large: [String: String] = [
    "spaces in a heading": "<h1>" + String(repeating: " ", count: size / 2) + filled("<p>"),
    "rules in a heading": "<h1>" + filled("<hr>"), "items": "<ul>" + filled("<li>"),
    "spans": "<table>" + filled("<tr><td colspan=99>a<td rowspan=65534>b"),
    "ends": String(repeating: "<div>", count: 200) + filled("</p></li></h1>"),
    "cells without an end": filled("<table><td>"),
    "links in headings": "<h1>" + filled("<a href=#>"),
    "lines of a listing": "<pre>" + filled("<div><br>"),
    "names": filled("&CounterClockwiseContour"),
    "numbers": filled("&#x110000"), "scripts": filled("<script><!--<script>"),
    "titles": filled("<title>a"), "foreign": filled("<svg><p>"), "hidden": filled("<select></div>"),
    "CDATA": "<svg>" + filled("<![CDATA["), "a long name": "<" + filled("a"),
    "equal attributes": "<p " + filled("id=a ") + ">", "values": "<p id=" + filled("&amp"),
  ]

  @Test(arguments: large.keys.sorted()) func `of HTML takes time by its length alone`(
    name: String
  ) throws {
    Self.check(try #require(Self.large[name]), .html)
  }

  static let headed: [String: String] = [
    "aliases": "---\na: &a [x]\n"
      + (1...9).map { level in
        let before = level == 1 ? "*a" : "*b\(level - 1)"
        return
          "b\(level): &b\(level) [\(Array(repeating: before, count: 9).joined(separator: ","))]\n"
      }.joined() + "title: x\n---\n",
    "deep": "---\ntitle: \(String(repeating: "[", count: 1000))\n---\n",
    "deep blocks": "---\n" + (0..<200).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
      + "---\n",
    "long": "---\ntitle: x\n" + filled("a: b\n") + "c: d\n---\n",
  ]

  @Test(arguments: headed.keys.sorted()) func `of front matter is refused`(name: String) throws {
    let text = try #require(Self.headed[name])
    #expect(throws: DocumentError.self) { try read(text) }
  }

  @Test func `of front matter or MDX ends in time`() throws {
    for filling in [
      "{", "[", "&a ", "*a ", "- ", "? ", "!!a ", "\"", "'", "|\n", "%", "a:\n", "{a: ", "#\n",
    ] {
      let text = "---\ntitle: " + String(Self.filled(filling).prefix(60_000)) + "\n---\nx"
      Self.check(text, .markdown)
      Self.check(text.replacing("---", with: "+++").replacing("title:", with: "title ="), .markdown)
    }
    for filling in [
      "<A ", "<A b=\"", "<A b={", "<A b={`", "{/*", "export const a = {\n\n", "import {\n\n",
      "<A>", "`` ` ", "{\n\n", "import a from 'b'\n", "<A {...b}/>", "{'", "<a b={",
    ] {
      Self.check("import a from 'b'\n\n" + Self.filled(filling), .markdown)
    }
    Self.check((1...400).map { String(repeating: "`", count: $0) + " " }.joined(), .markdown)
  }
}
