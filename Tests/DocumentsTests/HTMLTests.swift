import Domain
import Testing

@Suite(.timeLimit(.minutes(1))) struct `HTML and plain text` {
  @Test func `comes apart at its headings`() throws {
    let document = try read(
      """
      <!DOCTYPE html><html><head><title>La guía</title><style>p { x }</style>
      <script>var a = "<h1>no</h1>";</script></head><body>
      <h1 id="intro">Primeros <em>pasos</em> ¶</h1>
      <p>Hola,
         <b>mundo</b> &eacute; &lt;b&gt;.</p>
      <h2><a name="dos"></a>Segundo</h2>
      <ul><li>uno<li>dos</ul>
      <table><tr><th>a<th>b<tr><td>1<td>2</table>
      <pre><code class="language-python">
      def f():
          return "&lt;x&gt;"
      </code></pre>
      <h2>Sin nombre</h2>Texto<br>suelto
      </body></html>
      """, as: .html)
    #expect(document.title == "La guía")
    #expect(
      document.lines == [
        "#intro [Primeros pasos] Hola, mundo é <b>.",
        "#dos [Primeros pasos/Segundo] - uno ¦ - dos ¦ a | b ¦ 1 | 2 ¦ "
          + "<python>def f():\n    return \"<x>\"",
        "#sin-nombre [Primeros pasos/Sin nombre] Texto ¦ suelto",
      ])
  }

  @Test func `without an end or a beginning is read all the same`() throws {
    let loose = try read("</p></div><p>a<b>b<p>c", as: .html)
    #expect(loose.lines == ["# [] ab ¦ c"])
    #expect(try read("", as: .html).lines == [])
    #expect(try read("<h1>Solo", as: .html).lines == ["#solo [Solo] "])
    #expect(try read("nada más que texto", as: .html).lines == ["# [] nada más que texto"])
  }

  @Test func `keeps its letters, whatever it says of its encoding`() throws {
    let page = "<meta charset=\"iso-8859-1\"><p>ñandú €</p>"
    #expect(try read(page, as: .html).lines == ["# [] ñandú €"])
  }

  @Test func `knows no entities of its own, and loads nothing`() throws {
    var bomb = "<!DOCTYPE html [<!ENTITY a0 \"ja\">"
    for level in 1..<10 {
      bomb += "<!ENTITY a\(level) \"\(String(repeating: "&a\(level - 1);", count: 10))\">"
    }
    bomb += "<!ENTITY f SYSTEM \"file:///etc/passwd\">]><p>&a9;&f;</p>"
    let document = try read(bomb, as: .html)
    let text = document.lines.joined()
    #expect(text.utf8.count < 2000 && !text.contains("root:"))
  }

  @Test func `keeps empty cells and those of spans, so that columns stay what they are`() throws {
    func rows(_ html: String) throws -> [String] {
      try read("<h1>N</h1><table>\(html)</table>", as: .html).sections.flatMap(\.blocks).map {
        guard case .prose(let text) = $0 else { return "?" }
        return text
      }
    }
    #expect(
      try rows("<tr><th>a</th><th>b</th><th>c</th></tr><tr><td>x</td><td></td><td>7</td></tr>")
        == ["a | b | c", "x |  | 7"])
    #expect(try rows("<tr><td><td>1<tr><td> <td>&nbsp;<td>") == ["| 1"])
    #expect(try rows("<tr><td colspan=2>a<td>b<tr><td>c<td>d<td>e") == ["a |  | b", "c | d | e"])
    #expect(
      try rows("<tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e") == ["a | b", "| c", "d | e"])
    #expect(try rows("<td colspan=999999999999>a<td colspan=-1>b").first?.hasPrefix("a |") == true)
  }

  @Test func `in cells loses neither listings nor headings nor tables`() throws {
    let document = try read(
      """
      <table><tr><td>1<td><pre>a
      b</pre></td></tr><tr><td><h2 id=x>T</h2><p>uno</p><table><tr><td>p<td>q</table>fin<td>z</table>
      """, as: .html)
    #expect(
      document.lines == ["# [] 1 ¦ <>a\nb", "#x [T] uno ¦ p | q ¦ fin ¦ z"])
  }

  @Test(
    arguments: [
      "a<br>b<br/>c": "a\nb\nc", "<div>a</div><div>b</div>c": "a\nb\nc",
      "<code><div class=line>a</div><div class=line><br></div><div>b</div></code>": "a\n\nb",
      "<div>a\n</div><div>b\n</div>": "a\nb", "<ol><li>a<li>b</ol>": "a\nb",
      "<span style='display: block'>a</span><span style='display:block'>b</span>": "a\nb",
      "<table><tr><td>1</td><td>a</td></tr><tr><td>2</td><td>b</td></tr></table>": "1 a\n2 b",
      "a<script>no</script><button>Copy</button>\r\n\r\n  b": "a\n\n  b",
    ]) func `keeps the lines of a listing`(html: String, code: String) throws
  {
    let document = try read("<h1>C</h1><pre>\(html)</pre>", as: .html)
    #expect(document.lines == ["#c [C] <>\(code)"])
  }

  @Test func `takes the anchor of a heading from the link to itself, and not its sign`() throws {
    let document = try read(
      """
      <h2>Uno<a class=x href="#first">#</a></h2>a<h2>Lenguaje <a href="#c">C#</a></h2>b
      <h2>Dos<span><a href="#second" id="own">🔗</a></span></h2>c
      <section id=sec><h2>Tres</h2></section><a name="cuarto"></a> <h2>Cuatro</h2><a id=x>y</a>
      <h2>Cinco</h2>
      """, as: .html)
    #expect(
      document.lines == [
        "#first [Uno] a", "#lenguaje-c [Lenguaje C#] b", "#own [Dos] c", "#sec [Tres] ",
        "#cuarto [Cuatro] y", "#cinco [Cinco] ",
      ])
  }

  @Test func `hides what is none of its text, and no more`() throws {
    for (html, text) in [
      "a<script>if (a</b>c) \"</p>\"</script>b": "ab",
      "a<script><!-- <script>x</script> </p>--></script>b": "ab",
      "a<svg><title>no</title><path d='x'/><style>p{}</style></svg>b": "ab",
      "<div>a<svg><g></div>b": "a ¦ b", "a<svg><path><p>b": "a ¦ b",
      "a<template><div><template>x</template></div>y</template>b": "ab",
      "<div>a<select><option>x</div>b": "a ¦ b", "a<math><mi>x</mi></math>b": "ab",
      "a<iframe><p>x</iframe>b<noscript><p>x</p></noscript>c": "abc",
      "a<!-- x --!>b<!-->c<!--->d<!---- >e-->f<?x y>g<![CDATA[h]]>i": "abcdfgi",
      "<textarea><b>a</textarea>": "<b>a",
    ] {
      #expect(try read(html, as: .html).lines == ["# [] \(text)"], "\(html)")
    }
  }

  @Test func `as XHTML has elements that end where they begin`() throws {
    let page = """
      <?xml version="1.0"?><html xmlns="x"><head><title/><script src="a"/></head>
      <body><div/><h1>T</h1><p>a<![CDATA[ no ]]></p></body></html>
      """
    #expect(try read(page, as: .html).lines == ["#t [T] a no"])
  }

  @Test func `with a title and no heading is found by its title`() throws {
    #expect(try read("<title>La guía</title><p>a", as: .html).lines == ["# [La guía] a"])
    #expect(try read("<title>La guía</title>", as: .html).lines == ["# [La guía] "])
  }

  @Test func `as plain text is paragraphs`() throws {
    let document = try read("# uno\ndos\n\n  \ntres\r\n\r\ncuatro", as: .plain)
    #expect(document.lines == ["# [] # uno\ndos ¦ tres ¦ cuatro"])
    #expect(document.title == "")
  }

  @Test func `of generators has listings without the numbers of their lines`() throws {
    let document = try read(
      """
      <h1>T</h1><div class="highlight-python notranslate"><div class="highlight"><pre>
      <span class="linenos"><span>1</span></span><b>import</b> a
      <span class=lineno>2</span>b</pre></div></div>
      <div class="highlight-default"><pre>c</pre></div><pre class="brush: js notranslate">d</pre>
      <div class="highlight highlight-source-go"><pre>e</pre></div><pre class="sourceCode ruby">f</pre>
      <table class="highlighttable"><tr><td class="linenos"><div class="linenodiv"><pre>1
      2</pre></div></td><td class="code"><pre>g
      h</pre></td></tr></table><p class="ln">queda</p>
      """, as: .html)
    #expect(
      document.lines == [
        "#t [T] <python>import a\nb ¦ <>c ¦ <js>d ¦ <go>e ¦ <ruby>f ¦ <>g\nh ¦ queda"
      ])
  }

  @Test func `parts raised marks from words, and drops the links to themselves of terms`() throws {
    let document = try read(
      """
      <p>La palabra<sup><a href="#n1">1</a></sup>, x<sup>2</sup>, 10<sup>-3</sup>, 1<sup>st</sup>,
      M<sup>me</sup>.<dl><dt id=f><code>run</code>(x)<a href="#f">¶</a><dd>Corre <a href="#n2">[2]</a>.</dl>
      """, as: .html)
    #expect(
      document.lines == ["# [] La palabra^1, x^2, 10^-3, 1st, Mme. ¦ run(x) ¦ Corre [2]."])
  }

  @Test func `in XML has text in CDATA`() throws {
    let page = "<?xml version='1.0'?><html><p>Un <![CDATA[<texto> & más]]> fin</p><![CDATA[a</html>"
    #expect(try read(page, as: .html).lines == ["# [] Un <texto> & más fin ¦ a</html>"])
    #expect(try read("<p>a<![CDATA[b]]>c</p>", as: .html).lines == ["# [] ac"])
  }

  @Test func `has words without the marks of where they may be broken`() throws {
    let page =
      "<h1>Co&shy;opera&ZeroWidthSpace;ción</h1><p>so&shy;lu<wbr>ción na\u{2060}da \u{feff}¿y?</p>"
    #expect(try read(page, as: .html).lines == ["#cooperación [Cooperación] solución nada ¿y?"])
  }

  @Test func `has headings without what is there for authors and links`() throws {
    let document = try read(
      """
      <h2><span id="Historia">Historia</span><span class="mw-editsection"><span>[</span><a href="/e">editar</a>\
      <span>]</span></span></h2>a
      <h2>charAt<a href="#charAt(int)" class="anchor-link"><img alt="Link icon" src="l.svg"></a></h2>b
      <h2><a href="#c"><img alt="Logo"> Con texto</a></h2>c<h2><img alt="Solo"></h2>d
      """, as: .html)
    #expect(
      document.lines == [
        "#Historia [Historia] a", "#charat [charAt] b", "#con-texto [Con texto] c",
        "#solo [Solo] d",
      ])
  }
}
