import Agents
import Domain
import Foundation
import Retrieval
import Testing

/// A hostile text of Tests/Data/injections.json.
struct Injection: Decodable, Sendable, CustomTestStringConvertible {
  var id: String
  var language: String
  /// What it may be: `prompt`, `title`, `description`, `document`, `code`.
  var `where`: [String]
  /// Whether the contract must refuse it as the text of a task.
  var refused: Bool
  private var text: String?
  private var prefix: String?
  private var unit: String?
  private var times: Int?

  var testDescription: String { id }

  /// The text, with this run's delimiter wherever the attacker is supposed to know it.
  func text(delimiter: String) -> String {
    let whole = text ?? (prefix ?? "") + String(repeating: unit ?? "", count: times ?? 0)
    return whole.replacingOccurrences(of: "{delimiter}", with: delimiter)
      .replacingOccurrences(of: "{DELIMITER}", with: delimiter.uppercased())
      .replacingOccurrences(
        of: "{split}", with: delimiter.prefix(9) + "\u{200d}" + delimiter.dropFirst(9))
  }

  static let all: [Injection] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Data/injections.json").standardizedFileURL
    guard let data = try? Data(contentsOf: file),
      let all = try? JSONDecoder().decode([Injection].self, from: data)
    else { return [] }
    return all
  }()
}

@Suite struct `A hostile text` {
  private let fence = DataFence(high: 0xfeed_f00d_dead_beef, low: 0x0bad_cafe_1234_5678)

  @Test func `is one of many, in both languages and every place`() {
    #expect(Injection.all.count >= 40)
    #expect(Set(Injection.all.map(\.id)).count == Injection.all.count)
    #expect(Set(Injection.all.map(\.language)) == ["es", "en"])
    #expect(
      Set(Injection.all.flatMap(\.where))
        == ["prompt", "title", "description", "document", "code"])
  }

  @Test(arguments: Injection.all) func `stays inside its section of a prompt`(
    _ injection: Injection
  ) {
    let text = injection.text(delimiter: fence.delimiter)
    let prompts = Prompts(fence: fence, language: injection.language)
    let context = fixture(text).context
    let similar = context.code
    for messages in [
      prompts.goal(prompt: text, context: context),
      prompts.goalRepair(
        prompt: text, context: context, previousReply: text,
        findings: [RuleViolation(rule: text, field: text, description: text)]),
      prompts.feedback(
        code: text, path: text, codeLanguage: text, question: text,
        facts: CodeFacts(verdict: text, feedback: text, diagnostics: [text]), similar: similar),
      prompts.advice(question: text, goal: text, sections: context.documents),
    ] {
      #expect(messages.map(\.role) == [.system, .user])
      expectFenced(messages[1].text)
      for message in messages {
        #expect(!TextHygiene.hasHiddenCharacters(message.text))
        #expect(message.text.unicodeScalars.count < 40_000)
        for token in [
          "<|im_", "<|eot", "[INST]", "<s>", "<tool_call>", "<start_of_turn>", "<｜User｜>",
        ] {
          #expect(!message.text.contains(token))
        }
      }
      // The instructions are the same, whoever asks for what.
      let harmless = prompts.goal(prompt: "x", context: AgentContext())[0].text
      if messages[1].text.contains("<<DATA learner_wish") { #expect(messages[0].text == harmless) }
    }
  }

  /// Reads the prompt as a model is told to: every section that begins ends, under its own label,
  /// and what is outside of all of them is ours.
  private func expectFenced(_ prompt: String) {
    var open: String?
    var outside: [Substring] = []
    for line in prompt.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasSuffix("\(fence.delimiter)>>") {
        let words = line.split(separator: " ")
        #expect(words.count == 3)
        if words[0] == "<<DATA" {
          #expect(open == nil)
          open = String(words[1])
        } else {
          #expect(words[0] == "<<END" && open == String(words[1]))
          open = nil
        }
      } else {
        #expect(!line.lowercased().contains(fence.delimiter))
        #expect(!line.lowercased().contains("<<data") && !line.lowercased().contains("<<end"))
        if open == nil { outside.append(line) }
      }
    }
    #expect(open == nil)
    for line in outside where !line.hasPrefix("- ") {
      #expect(!line.contains("PWNED") && !line.contains("evil.example") && line.count < 300)
    }
  }

  @Test(arguments: Injection.all) func `comes into no plan unseen`(_ injection: Injection) throws {
    let text = injection.text(delimiter: fence.delimiter)
    for language in ["es", "en"] {
      let fixture = fixture(text)
      let plan = try #require(
        RetrievalPlanner.plan(
          prompt: text, language: language, context: fixture.context, tasksOfGoals: fixture.tasks))
      let facts = ProposalRules.Facts(
        language: language, instructions: Prompts.goalInstructions(language: language))
      #expect(ProposalRules.violations(plan, facts: facts) == [])
      let texts =
        [plan.title, plan.description, plan.aiFeedback] + plan.validationCriteria
        + plan.tasks.flatMap { [$0.title, $0.description] + $0.validationCriteria }
      for text in texts {
        #expect(!TextHygiene.hasHiddenCharacters(text))
        for bad in [
          "<script", "<img", "javascript:fetch", "<|im_", "[INST]", "system:", "http://admin:",
        ] {
          #expect(!text.lowercased().contains(bad.lowercased()), "\(text)")
        }
      }
    }
  }

  @Test(arguments: Injection.all.filter(\.refused)) func `is refused as part of a goal`(
    _ injection: Injection
  ) {
    let text = injection.text(delimiter: fence.delimiter)
    let facts = ProposalRules.Facts(
      language: injection.language,
      instructions: Prompts.goalInstructions(language: injection.language))
    var generator = ProposalGenerator(seed: injection.language == "es" ? 0 : 1)
    let good = generator.proposal()
    let changes: [(inout GoalProposal) -> Void] = [
      { $0.title = text }, { $0.description = text }, { $0.tasks[0].title = text },
      { $0.tasks[1].description = text }, { $0.tasks[2].validationCriteria = [text] },
      { $0.validationCriteria = [text] }, { $0.aiFeedback = text },
    ]
    for change in changes {
      var proposal = good
      change(&proposal)
      #expect(!ProposalRules.violations(proposal, facts: facts).isEmpty, "\(injection.id)")
    }
  }

  private func fixture(_ text: String) -> AgentContextFixture {
    var fixture = AgentContextFixture()
    fixture.addGoal(
      text,
      tasks: [
        (text, text, [text]), ("Instalar el entorno", text, [text]),
        ("Escribir una prueba", "", []),
      ])
    fixture.addSection("Primeros pasos", text, chunk: 1)
    fixture.addSection(text, text, chunk: 2, path: text)
    fixture.addSection("Rutas y parámetros", text, chunk: 3)
    fixture.addCode(text, text)
    return fixture
  }
}
