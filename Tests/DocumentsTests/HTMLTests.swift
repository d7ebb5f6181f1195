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
    #expect(try read("<h1>Solo", as: .html).sections.isEmpty)
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

  @Test func `as plain text is paragraphs`() throws {
    let document = try read("# uno\ndos\n\n  \ntres\r\n\r\ncuatro", as: .plain)
    #expect(document.lines == ["# [] # uno\ndos ¦ tres ¦ cuatro"])
    #expect(document.title == "")
  }
}
