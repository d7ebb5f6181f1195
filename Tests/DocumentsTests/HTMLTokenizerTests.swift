import Testing

@testable import Documents

@Suite(.timeLimit(.minutes(1))) struct `The tokenizer of HTML` {
  /// `text`, `<name key=value/>`, `</name>`, with neighbouring texts as one.
  static func tokens(_ html: String) -> [String] {
    var tokenizer = HTMLTokenizer(Array(html.utf8)[...])
    var text: [UInt8] = []
    var tokens: [String] = []
    func end() {
      if !text.isEmpty { tokens.append(String(decoding: text, as: UTF8.self)) }
      text = []
    }
    while let token = tokenizer.next() {
      switch token {
      case .text(let bytes): text += bytes
      case .start(let tag):
        end()
        let pairs = tag.attributes.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        tokens.append("<\(tag.name)\(pairs.joined())\(tag.isSelfClosing ? "/" : "")>")
      case .end(let name):
        end()
        tokens.append("</\(name)>")
      }
    }
    end()
    return tokens
  }

  @Test(
    arguments: [
      ("a<B>c</B >d", "a|<b>|c|</b>|d"), ("<a ID=x id=y Class='z w'>", "<a class=z w id=x>"),
      ("<a id = \"x\" alt>", "<a alt= id=x>"), ("<a id=x/y/>", "<a id=x/y/>"),
      ("<a id=x />", "<a id=x/>"), ("<a/id=x>", "<a id=x>"), ("<a id=>b", "<a id=>|b"),
      ("<a =id=x>b", "<a>|b"), ("<a id='x'alt=y>", "<a alt=y id=x>"),
      ("<a id=\"a>b\">c", "<a id=a>b>|c"),
      ("a < b <3 c<", "a < b <3 c<"), ("a</", "a</"), ("a</>b", "ab"), ("a</3>b", "ab"),
      ("a<!x>b<?y>c<!doctype html \">\">d", "abc\">d"), ("a<b id=\"c", "a"), ("a<b ", "a"),
      ("a</b", "a"),
      ("<!-- a --b->c-->d", "d"), ("<!-->a", "a"), ("<!--->a", "a"), ("<!---->a", "a"),
      ("<!----!>a", "a"), ("<!-- a", ""), ("<![CDATA[a]]>b", "b"),
      ("<title>a<b>&amp;</titles></TITLE >b", "<title>|a<b>&</titles>|</title>|b"),
      ("<style>a</b>&amp;</style>", "<style>|a</b>&amp;|</style>"),
      ("<script>a<!--b</script>c", "<script>|a<!--b|</script>|c"),
      (
        "<script><!--<script></script>--></script>c",
        "<script>|<!--<script></script>-->|</script>|c"
      ),
      ("<script><!--><script></script>c", "<script>|<!--><script>|</script>|c"),
      ("<plaintext></plaintext>", "<plaintext>|</plaintext>"),
      ("<a-b:c>d", "<a-b:c>|d"), ("<ñ>a<ñ", "<ñ>a<ñ"), ("<a\u{c}id=x\n>", "<a id=x>"),
    ]) func `gives the standard's tokens`(html: String, expected: String)
  {
    #expect(Self.tokens(html).joined(separator: "|") == expected)
  }

  @Test(
    arguments: [
      ("&amp;&AMP&lt", "&&<"), ("&notit; &notin;", "¬it; ∉"),
      ("&lbrace;&rbrace;&check;&lpar;", "{}✓("),
      ("&NotEqualTilde;", "\u{2242}\u{338}"), ("&CounterClockwiseContourIntegral;", "∳"),
      ("&CounterClockwiseContourIntegra;", "&CounterClockwiseContourIntegra;"),
      ("&;&x &", "&;&x &"),
      ("&nada;&eacute;&eacute", "&nada;éé"), ("&#233;&#xe9;&#XE9;&#233 ", "ééé\u{e9} "),
      ("&#0;&#xD800;&#x110000;&#99999999999999999999;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
      ("&#128;&#x9f;&#129;", "€Ÿ\u{81}"), ("&#;&#x;&#xg;&#", "&#;&#x;&#xg;&#"),
      ("&ampere;", "&ere;"),
    ]) func `knows the references of HTML5`(html: String, expected: String)
  {
    #expect(Self.tokens(html).joined() == expected)
  }

  @Test func `leaves references alone in addresses, where they are none`() {
    #expect(
      Self.tokens("<a href='?a=1&copy=2&lt;&not;&noti&amp'>")
        == ["<a href=?a=1&copy=2<¬&noti&>"])
  }

  @Test func `knows every name of the standard`() {
    let entries = NamedReferenceTable.text.split(whereSeparator: \.isWhitespace)
    #expect(entries.count == 2125)
    #expect(entries.count { $0.contains("!=") } == 106)
    for entry in entries {
      let name = entry.split(separator: "=")[0].replacing("!", with: "")
      let text = Self.tokens("&\(name);").joined()
      #expect(!text.hasPrefix("&\(name)") && !text.isEmpty, "\(name)")
    }
  }

  /// Pieces that mean something together.
  private static let pieces = [
    "<", ">", "/", "!", "--", "a", "p", "script", "title", " ", "=", "\"", "'", "&", "amp", ";",
    "#x41",
    "<p>", "</p>", "<!--", "-->", "<td>", "<pre>", "<svg>", "ñ", "\n", "id", "<![CDATA[", "]]>",
    "h1",
  ]

  @Test func `says the same wherever a document begins, and ends with whatever it is given`() {
    var state: UInt64 = 0x2545_F491_4F6C_DD1D
    func random(_ count: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(count))
    }
    for _ in 0..<2000 {
      let html = (0..<(1 + random(30))).map { _ in Self.pieces[random(Self.pieces.count)] }.joined()
      let plain = Self.tokens("<i>" + html)
      let padding = String(repeating: "x", count: 1 + random(1100))
      let padded = Self.tokens(padding + "<i>" + html)
      #expect(padded.first == padding && Array(padded.dropFirst()) == plain, "\(html)")
      // No text comes of nothing.
      #expect(plain.joined().utf8.count <= html.utf8.count * 4 + 3)
    }
  }
}
