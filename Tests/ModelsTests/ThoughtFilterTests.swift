import Testing

@testable import Models

@Suite struct `Thoughts of a model` {
  /// What is shown in the end, of pieces of `size` characters.
  private func shown(_ reply: String, size: Int) -> String {
    var filter = ThoughtFilterMachine()
    var shown = ""
    func add(_ output: ThoughtFilterMachine.Output) {
      if output.isAnew { shown = "" }
      shown += output.text
    }
    let scalars = Array(reply.unicodeScalars)
    for start in stride(from: 0, to: scalars.count, by: size) {
      let piece = scalars[start..<min(start + size, scalars.count)]
      add(filter.take(String(String.UnicodeScalarView(piece))))
    }
    add(filter.end())
    return shown
  }

  @Test(arguments: [
    ("<think>\nThe learner wants {branches}.\n</think>\n\n{\"a\":1}", "{\"a\":1}"),
    ("\n <THINK>a</think><think>b</think> c", "c"), ("[THINK]a[/THINK]b", "b"),
    ("<thinking>x < y</thinking>\n\nSí.", "Sí."),
    ("\u{25c1}think\u{25b7}a\u{25c1}/think\u{25b7}ñ", "ñ"),
    (
      "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Ya", "Ya"
    ),
    ("The learner wants this.\nSo:\n</think>\n\nHola", "Hola"),
    ("Hola\n</think>", ""), ("<think>never ends", ""), ("<think></think>", ""),
    ("Hola.<|im_end|>", "Hola."), ("Hola.</s>\n", "Hola."), ("a<|im_end|>b", "a<|im_end|>b"),
  ]) func `are left out, however the reply is cut`(reply: String, text: String) {
    for size in [1, 2, 3, 7, 1000] { #expect(shown(reply, size: size) == text) }
  }

  @Test(arguments: [
    "", "Hola", " Hola\n", "<thin", "<thinly veiled", "a <think> b </think> c", "a < b", "1 <s",
    "The tag `</think>` ends it.", "```html\n<think/>\n```\n", "\u{25c1}", "[THIN",
  ]) func `are not what only looks like them`(reply: String) {
    for size in [1, 2, 3, 7, 1000] { #expect(shown(reply, size: size) == reply) }
  }

  @Test func `cost time in proportion, whatever they are made of`() {
    let clock = ContinuousClock()
    for part in [
      "<think></think>", "<think>", "</think>\n", "<", "\n", " ", "<|im_end|>", "a</thi",
    ] {
      let text = String(repeating: part, count: 300_000 / part.utf8.count)
      for size in [7, 1_000_000] {
        // Well under a second; were it a square it would be hours.
        #expect(clock.measure { _ = shown(text, size: size) } < .seconds(20), "\(part)")
      }
    }
  }
}
