import Domain
import Testing

/// What tools for documentation write beyond CommonMark.
@Suite(.timeLimit(.minutes(1))) struct `Markdown of documentation tools` {
  private func blocks(_ text: String) throws -> [String] {
    try read("# T\n\n" + text).sections.flatMap(\.blocks).map { block in
      switch block {
      case .prose(let text): text
      case .code(let text, let language): "<\(language)>\(text)"
      }
    }
  }

  @Test func `has admonitions and tabs whose content is indented`() throws {
    #expect(
      try blocks(
        """
        !!! note "Un título"
            Texto.

            ```python
            x = 1
            ```

            ??? tip inline end
                Dentro.

                    código

        === "Linux"

            - uno

                !!! warning
                    Hondo.

        === "Mac"
        \tCon tabulador.

        Fin.
        """) == [
          "Un título", "Texto.", "<python>x = 1", "tip inline end", "Dentro.", "<>código", "Linux",
          "- uno", "warning", "Hondo.", "Mac", "Con tabulador.", "Fin.",
        ])
    // Nothing indented follows, it is code, or something else.
    for text in ["!!! note", "!!! Ojo con esto:\n    y más", "¡Ojo!!!"] {
      #expect(try blocks(text) == [text.replacing("    ", with: "")])
    }
    #expect(try blocks("```\n!!! note\n    x\n```") == ["<>!!! note\n    x"])
    #expect(try blocks("Uno\n===\n\na").count == 1)
  }

  @Test func `has containers and directives`() throws {
    #expect(
      try blocks(
        """
        :::note[Un título]
        Texto **a**.
        :::

        ::: warning Cuidado
        - b
        :::

        ::::{tip}
        :class: x
        c
        :::{hint} Pista
        d
        :::
        ::::

        ::: {.callout}
        e
        :::

        ```{warning} Aviso
        :name: y
        f

        ~~~{code-block} js
        :linenos:
        g()
        ~~~
        ```

        std:::nada y `:::x`
        """) == [
          "Un título", "Texto a.", "Cuidado", "- b", "tip", "c", "Pista", "d", "e", "Aviso", "f",
          "<js>g()", "std:::nada y :::x",
        ])
    #expect(try blocks("```\n:::note\n:::\n```\n\n    :::\n") == ["<>:::note\n:::", "<>:::"])
  }

  @Test func `has alerts, notes at the foot and lists of attributes`() throws {
    #expect(
      try blocks(
        """
        > [!NOTE]
        > Uno.

        > [!info]- Plegado
        > Dos.

        Vea[^1] y[^b].
        {: .lead }

        [^1]: https://example.org
        [^b]: Texto.

            Más texto.

        [!no es nada
        """) == [
          "note\nUno.", "Plegado\nDos.", "Vea[^1] y[^b].", "[^1]: https://example.org",
          "[^b]: Texto.", "Más texto.", "[!no es nada",
        ])
    let document = try read("# A {.x .y}\n\na\n\n## B {: #be }\n\nb\n\n## C {c}\n\nc\n")
    #expect(document.lines == ["#a [A] a", "#be [A/B] b", "#c-c [A/C {c}] c"])
  }

  @Test func `keeps empty cells, and takes short lines under a head for a table`() throws {
    #expect(
      try blocks(
        """
        | a | b | c |
        |-|:-:|--:|
        | 1 || 3 |
        || 2 | 3 |
        | 1 | 2 ||
        | `x || y` | \\|| `z |

        > a | b
        > -|-
        > 1 || 

        p || q
        """) == [
          "a | b | c", "1 |  | 3", "| 2 | 3", "1 | 2 |", "x || y | | | `z", "a | b", "1 |",
          "p || q",
        ])
    #expect(try blocks("```\na|b\n-|-\n1||2\n```\n\n    a|b\n    -|-\n    1||2\n").count == 2)
    #expect(try blocks("```\na|b\n-|-\n1||2\n```")[0].hasSuffix("1||2"))
    #expect(try blocks("    a|b\n    -|-\n    1||2\n")[0].hasSuffix("1||2"))
  }

  @Test(
    arguments: [
      "python title=\"a\"": "python", "{.python .numberLines}": "python",
      "{#id .haskell}": "haskell",
      "{python}": "python", "{r, echo=FALSE}": "r", "js{1,3}": "js", "rust,ignore": "rust",
      "console?lang=x": "console", "title=\"x\"": "", "C++": "C++", "{code-block} ruby": "ruby",
      "": "",
      "objective-c:main.m": "objective-c",
    ]) func `names the language of a listing`(info: String, language: String) throws
  {
    #expect(try blocks("```\(info)\nx\n```") == ["<\(language)>x"])
  }

  @Test func `has headings and raised marks of HTML`() throws {
    let document = try read(
      """
      <h2 id="uno">Uno</h2>
      <p>a</p>

      <h3>Dos
      </h3>

      La palabra<sup>1</sup>, 10<sup>6</sup>, 2<sup>n</sup>, 1<sup>st</sup>, n<sup>o</sup>.
      """)
    #expect(
      document.lines == [
        "#uno [Uno] a", "#dos [Uno/Dos] La palabra^1, 10^6, 2^n, 1st, no.",
      ])
  }
}
