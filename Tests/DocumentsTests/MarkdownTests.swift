import Domain
import Retrieval
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Markdown` {
  @Test func `comes apart at its headings`() throws {
    let document = try read(
      """
      Antes.

      # Primeros *pasos* { #first-steps }

      Hola
      mundo.

      ## Vacío

      ### Más hondo

      Texto.

      Otro
      ====

      Fin.
      """)
    #expect(document.title == "Primeros pasos")
    #expect(
      document.lines == [
        "# [] Antes.",
        "#first-steps [Primeros pasos] Hola\nmundo.",
        "#más-hondo [Primeros pasos/Vacío/Más hondo] Texto.",
        "#otro [Otro] Fin.",
      ])
  }

  @Test func `keeps code as it stands, and takes no heading from it`() throws {
    let document = try read(
      "# A\n\n```python hl_lines=\"4\"\n# no heading\n\ndef f():\n    return 1\n```\n\n"
        + "    # indented\n\n```JSON\n{}\n```\n\n```hl_lines=\"4\"\nx\n```\n\n~~~\n~~~\n")
    #expect(
      document.lines == [
        "#a [A] <python># no heading\n\ndef f():\n    return 1 ¦ <># indented ¦ <JSON>{} ¦ <>x"
      ])
  }

  @Test func `makes lists, tables and images to text`() throws {
    let document = try read(
      """
      - uno
      - dos
        1. tres
        2. cuatro

      3. suelto

      4. otro

      | a | b |
      |---|---|
      | `x` | **y** |
      |  |  |

      ![Una imagen](x.png) y [un enlace](http://example.org "t") &amp; &eacute;&#233;&#xe9;&nada;.
      """)
    #expect(
      document.lines == [
        "# [] - uno ¦ - dos ¦ 1. tres ¦ 2. cuatro ¦ 3. suelto ¦ 4. otro ¦ a | b ¦ x | y ¦ "
          + "Una imagen y un enlace & ééé&nada;."
      ])
  }

  @Test func `knows admonitions, includes, comments and blocks of HTML`() throws {
    let document = try read(
      """
      {* ../docs_src/main.py hl[1] *}

      /// tip | Consejo

      Usa esto.

      ///

      /// note
      Sin título.
      ///

      //// tab | Python 3.10+

      Texto.

      ////

      <!-- nada
      de esto -->

      <div class="termy">

      ```console
      $ ls
      ```

      </div>

      <p>Un <b>párrafo</b> &lt;aquí&gt;</p><script>alert("no")</script>

      Una línea <br> con <span>etiquetas</span>.
      """)
    #expect(
      document.lines == [
        "# [] Consejo ¦ Usa esto. ¦ note\nSin título. ¦ Python 3.10+ ¦ Texto. ¦ <console>$ ls ¦ "
          + "Un párrafo <aquí> ¦ Una línea\ncon etiquetas."
      ])
  }

  @Test func `gives each section an anchor of its own`() throws {
    let document = try read(
      "# Uno\n\na\n\n# Uno\n\nb\n\n# ¿Qué es `x`?\n\nc\n\n# Dos { #uno }\n\nd\n\n"
        + "# !!!\n\ne\n\n# T { #a b }\n\nf\n\n# Uno\n\ng\n")
    #expect(
      document.sections.map(\.anchor)
        == ["uno", "uno-1", "qué-es-x", "uno-2", "section", "a", "uno-3"])
  }

  @Test func `takes only the title from front matter`() throws {
    let document = try read("---\ntitle: \"El título\"\ntags: [a]\n---\n# Uno\n\na\n")
    #expect(document.title == "El título" && document.lines == ["#uno [El título/Uno] a"])
    // Without an end it is a rule and text.
    #expect(try read("---\ntitle: x\n\na\n").title != "x")
    #expect(try read("\u{feff}# Uno\r\n\r\na\r\n").lines == ["#uno [Uno] a"])
  }

  @Test func `finds a heading without a text by itself, unless others stand under it`() throws {
    let document = try read("# API\n\n## install()\n\n## update()\n\nText.\n\n## Deprecated\n")
    #expect(
      document.lines == [
        "#install [API/install()] ", "#update [API/update()] Text.",
        "#deprecated [API/Deprecated] ",
      ])
    #expect(
      Chunker().chunks(of: document.sections).map(\.content) == [
        "API › install()", "API › update()\n\nText.", "API › Deprecated",
      ])
    #expect(try read("#\n\n# \n").lines == [])
  }

  @Test func `reads pieces of HTML as HTML`() throws {
    let document = try read(
      """
      <h1 align="center">Título</h1>

      <table><tr><th>a</th><th>b</th><th>c</th></tr>
      <tr><td>x</td><td></td><td>7</td></tr></table>

      <pre>uno<br>dos

      tres</pre>

      | a | b |
      |---|---|
      | x<br>y | &NotEqualTilde; &check; |

      <details><summary>Más &lpar;aquí&rpar;</summary>

      Texto `&check;` <br/>otro.

      </details>
      """)
    #expect(
      document.lines == [
        "#título [Título] a | b | c ¦ x |  | 7 ¦ <>uno\ndos\n\ntres ¦ a | b ¦ x y | ≂̸ ✓ ¦ "
          + "Más (aquí) ¦ Texto &check;\notro."
      ])
  }

  @Test(arguments: ["es", "en"]) func `of our own corpus is read as it was written`(
    language: String
  ) throws {
    let documents = try Corpus.own(language).map { try StandardReader.read($0.bytes) }
    #expect(documents.count == 5)
    for document in documents {
      #expect((8...10).contains(document.sections.count))
      #expect(!document.title.isEmpty)
      let blocks = document.sections.flatMap(\.blocks)
      #expect(blocks.contains { if case .code = $0 { true } else { false } })
      #expect(
        !blocks.contains { if case .prose(let text) = $0 { text.contains("{ #") } else { false } })
    }
  }

  @Test func `of our own corpus has the same anchors in both languages`() throws {
    func anchors(_ language: String) throws -> [[String]] {
      try Corpus.own(language).map { try StandardReader.read($0.bytes).sections.map(\.anchor) }
    }
    #expect(try anchors("es") == anchors("en"))
  }

  @Test(arguments: ["es", "en"])
  func `of the FastAPI documentation is read whole, where it is there`(
    language: String
  ) throws {
    guard let files = try Corpus.fastAPI(language) else { return }
    let documents = try files.map { try StandardReader.read($0.bytes) }
    let sections = documents.flatMap(\.sections)
    #expect(documents.count == 51 && sections.count > 450)
    #expect(documents.allSatisfy { !$0.title.isEmpty && !$0.sections.isEmpty })
    let chunks = documents.flatMap { Chunker().chunks(of: $0.sections) }
    #expect(chunks.count >= sections.count)
    #expect(chunks.allSatisfy { TokenEstimate.count($0.content) <= 512 })
    #expect(!chunks.contains { $0.content.contains("{* ") || $0.content.contains("///") })
  }
}
