import Documents
import Domain
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Front matter` {
  @Test(
    arguments: [
      "title: El título": "El título", "title: 'It''s'": "It's", "\"title\": x": "x",
      "title: \"a \\\"b\\\" \\u00e9 \\\n  c\"": "a \"b\" é c",
      "title: >-\n  A folded\n  title # not a comment": "A folded title # not a comment",
      "title: |\n  two\n  ---\n  lines": "two --- lines", "title: a # comment": "a",
      "# comment\n\ntitle: b": "b", "x: &t Hola\ntitle: *t": "Hola", "title: one\n  two": "one two",
      "Title: c": "c", "layout: {title: no}\ntitle: yes": "yes", "list:\n- title: no": "",
      "title: [a, b]": "", "title: ~": "", "title:": "", "title: 2024": "2024",
      "{title: flow}": "flow",
      // What is no YAML, and is written all the same.
      "title: Zig: a tour": "Zig: a tour", "title: `x`\nb: c": "`x`",
      "a: 'x\ntitle: \"y\"": "y", "title: \"a\\0b\\e\"": "ab",
    ]) func `of YAML gives its title by the rules of YAML`(block: String, title: String) throws
  {
    let document = try read("---\n\(block)\n---\n\nBody.\n")
    #expect(document.title == title)
    let headings = title.isEmpty ? "" : title
    #expect(document.lines == ["# [\(headings)] Body."])
  }

  @Test(
    arguments: [
      "title = \"El título\"": "El título", "title = 'C:\\x'": "C:\\x",
      "title = \"\"\"\na \\\n  b\"\"\" # comment": "a b",
      "draft = true\n[params]\ntitle = \"no\"": "",
      "date = 2024-01-01\n\"title\" = \"x\"": "x", "title = \"\\u00e9\"": "é", "title = x y": "x y",
    ]) func `of TOML gives its title`(block: String, title: String) throws
  {
    let document = try read("+++\n\(block)\n+++\nBody.\n")
    #expect(document.title == title)
    #expect(document.lines == ["# [\(title)] Body."])
  }

  @Test func `gives its title to every section, once`() throws {
    let document = try read(
      "---\ntitle: Guía\n---\nAntes.\n\n# Uno\n\na\n\n## Dos\n\n# guía\n\nb\n")
    #expect(
      document.lines == [
        "# [Guía] Antes.", "#uno [Guía/Uno] a", "#dos [Guía/Uno/Dos] ", "#guía [guía] b",
      ])
    #expect(try read("---\ntitle: Sola\n---\n").lines == ["# [Sola] "])
    let page = try read("---\ntitle: Guía\n---\n<title>No</title><h1>T</h1>a", as: .html)
    #expect(page.title == "Guía" && page.lines == ["#t [Guía/T] a"])
  }

  @Test func `with other ends of lines and a mark before it is the same`() throws {
    #expect(try read("\u{feff}---\r\ntitle: a\r\n...\r\nb\r\n").lines == ["# [a] b"])
    #expect(try read("--- \ntitle: a\n---  \nb").lines == ["# [a] b"])
    #expect(try read("---\n# nothing\n---\nb").lines == ["# [] b"])
    #expect(try read("---\n---\nb").lines == ["# [] b"])
  }

  @Test(
    arguments: [
      "---\ntitle: x\n\na\n", "---\n\nUna frase.\n\n---\n\nb", "---\n- a\n- b\n\n---\n",
      "----\na: b\n----\n",
      "+++\nsolo texto\n+++\n", "\n---\ntitle: x\n---\n", " ---\ntitle: x\n---\n",
      "---\n" + String(repeating: "frase larga. ", count: 6000) + "\n\n---\nb",
    ]) func `is none where it only looks so`(text: String) throws
  {
    let document = try read(text)
    #expect(document.title != "x")
    #expect(document.lines.joined().count > 10)
  }

  @Test(
    arguments: [
      "{\n  \"title\": \"El título\",\n\t\"draft\": false\n}\n": "El título",
      "% El título\n  sigue\n% Ana\n% 2024\n": "El título sigue", "% Solo\n": "Solo",
      "Title: El título\n  sigue\nAuthor: Ana\n": "El título sigue",
      "date: 2024-01-01\nTITLE: Otro\n": "Otro", "---yaml\ntitle: a\n---": "a",
      "---toml\ntitle = \"b\"\n---": "b", "---json\n{\"title\": \"c\"}\n---": "c",
    ]) func `of other tools gives its title`(head: String, title: String) throws
  {
    let document = try read("\(head)\nCuerpo.\n")
    #expect(document.title == title && document.lines == ["# [\(title)] Cuerpo."])
  }

  @Test(
    arguments: [
      "{\n  \"a\": 1\n}\n\nx", "{ title }\n\nx", "%\n\nx", "% a\n% b\n% c\n% d\n\nx",
      "Nota: esto es texto.\n\nx", "Title: a\nEsto es texto.\n\nx", "Como dijo Ana: title: a\n\nx",
      "{\n" + String(repeating: "\"a\": 1,\n", count: 20_000) + "\"title\": \"b\"\n}\n\nx",
    ]) func `of other tools is text where it has no title`(text: String) throws
  {
    #expect(try read(text).title == "" && read(text).lines.joined().contains("x"))
  }
}
