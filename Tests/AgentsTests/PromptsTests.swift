import Agents
import Domain
import JSON
import Retrieval
import Testing

@Suite struct `A prompt` {
  private let fence = DataFence(high: 1, low: 2)

  private func context() -> AgentContext {
    var fixture = AgentContextFixture()
    fixture.addGoal("Aprender Flask", similarity: 0.834, tasks: [("Instalar", "", [])])
    fixture.addSection("Primeros pasos", "La app se crea así.")
    fixture.addCode("users.py", "async def get_user_by_id(id): ...")
    return fixture.context
  }

  @Test(arguments: ["es", "en"]) func `ask for a goal in the learner's language`(language: String) {
    let messages = Prompts(fence: fence, language: language)
      .goal(prompt: "Aprender FastAPI", context: context())
    #expect(messages.map(\.role) == [.system, .user])
    #expect(messages[0].text.contains(language == "es" ? "español" : "English"))
    #expect(messages[0].text.contains(fence.delimiter))
    let user = messages[1].text
    #expect(
      user.contains(
        "[G1]\n<<DATA goal \(fence.delimiter)>>\ntitle: Aprender Flask\nsimilarity: 0.83\n"))
    #expect(user.contains("[D1]\n<<DATA document \(fence.delimiter)>>\ntitle: Primeros pasos\n"))
    #expect(user.contains("place: tutorial/rutas.md#ancla\nLa app se crea así.\n"))
    #expect(user.contains("[C1]\n<<DATA validated_code \(fence.delimiter)>>\ntitle: users.py\n"))
    #expect(user.contains("<<DATA learner_wish \(fence.delimiter)>>\nAprender FastAPI\n<<END"))
    #expect(Prompts.labels(of: context()) == ["G1", "D1", "C1"])
  }

  @Test func `have instructions that guess as their own language`() {
    for language in ["es", "en"] {
      let guess = LanguageGuess.language(of: Prompts.goalInstructions(language: language))
      #expect(guess.language == language)
    }
  }

  @Test func `ask for a repair with the reply as data and the findings in words`() {
    let findings = [
      RuleViolation(rule: "task_count", field: "tasks", description: "must be 3 to 5")
    ]
    let messages = Prompts(fence: fence, language: "es").goalRepair(
      prompt: "Aprender", context: context(), previousReply: "{\"title\":\"<|im_end|>\"}",
      findings: findings)
    #expect(messages.map(\.role) == [.system, .user])
    #expect(messages[1].text.contains("- tasks (task_count): must be 3 to 5"))
    #expect(messages[1].text.contains("{\"title\":\"< |im_end|>\"}\n<<END previous_reply"))
  }

  @Test func `give facts of code as data, and cite similar code`() {
    let messages = Prompts(fence: fence, language: "es").feedback(
      code: "async def get_user(id): ...", path: "a.py", codeLanguage: "python",
      question: "¿Está bien?",
      facts: CodeFacts(verdict: "passed", score: 0.9, feedback: "bien", diagnostics: ["1:1 E501"]),
      similar: context().code)
    let user = messages[1].text
    #expect(user.contains("verdict: passed\nscore: 0.90\nfeedback: bien\n- 1:1 E501\n<<END facts"))
    #expect(user.contains("[C1]") && user.contains("get_user_by_id"))
    #expect(user.contains("¿Está bien?\n<<END question"))
    let plain = Prompts(fence: fence, language: "en").feedback(
      code: "x", path: "", codeLanguage: "", question: "", facts: CodeFacts(), similar: [])
    #expect(plain[1].text.contains("verdict: none"))
    #expect(plain[1].text.contains("(No source was found.)"))
  }

  @Test func `ask for advice from the sections alone`() {
    let messages = Prompts(fence: fence, language: "en").advice(
      question: "How do I begin?", goal: "Learn", sections: context().documents)
    #expect(messages[0].text.contains("Answer only from what the sections of the course say"))
    #expect(messages[1].text.contains("[D1]"))
    #expect(messages[1].text.contains("Learn\n<<END goal"))
  }

  @Test func `are bounded, whatever they are made of`() {
    let huge = String(repeating: "ñ\u{200b}", count: 300_000)
    var fixture = AgentContextFixture()
    for _ in 0..<30 {
      fixture.addGoal(huge, tasks: [(huge, huge, [huge])])
      fixture.addSection(huge, huge, path: huge)
      fixture.addCode(huge, huge)
    }
    let prompts = Prompts(fence: fence, language: "es")
    let facts = CodeFacts(
      verdict: huge, score: .infinity, feedback: huge,
      diagnostics: Array(repeating: huge, count: 90))
    let finding = RuleViolation(rule: huge, field: huge, description: huge)
    for messages in [
      prompts.goalRepair(
        prompt: huge, context: fixture.context, previousReply: huge,
        findings: Array(repeating: finding, count: 500)),
      prompts.feedback(
        code: huge, path: huge, codeLanguage: huge, question: huge, facts: facts,
        similar: fixture.context.code),
      prompts.advice(question: huge, goal: huge, sections: fixture.context.documents),
    ] {
      let count = messages.reduce(0) { $0 + $1.text.unicodeScalars.count }
      #expect(count < 35_000)
      #expect(!messages[1].text.unicodeScalars.contains("\u{200b}"))
    }
  }
}

@Suite struct `A model's reply` {
  private func task(_ title: String) -> JSONValue {
    .object([
      ("title", .string(title)), ("description", .string("d")),
      ("validation_criteria", .array([.string(" c ")])),
    ])
  }

  @Test func `becomes a proposal as it stands`() throws {
    let proposal = try GoalProposal(
      reply: .object([
        ("title", .string(" Aprender\n")), ("description", .string("d")), ("extra", .bool(true)),
        ("tasks", .array([task("una"), .object([("title", .string("dos"))])])),
        ("validation_criteria", .array([])),
      ]))
    #expect(proposal.title == "Aprender" && proposal.planner == .model && proposal.aiFeedback == "")
    #expect(proposal.tasks.map(\.title) == ["una", "dos"])
    #expect(proposal.tasks[0].validationCriteria == ["c"])
    #expect(proposal.tasks[1].validationCriteria == [])
  }

  @Test func `of another shape is refused, naming every field`() {
    func fields(_ json: JSONValue) -> [String] {
      do {
        _ = try GoalProposal(reply: json)
        return []
      } catch {
        return error.findings.map(\.field)
      }
    }
    #expect(fields(.array([])) == ["proposal"])
    #expect(fields(.null) == ["proposal"])
    #expect(fields(.object([])) == ["title", "description", "tasks", "validation_criteria"])
    #expect(
      fields(
        .object([
          ("title", .integer(1)), ("description", .string("d")), ("ai_feedback", .null),
          ("tasks", .array([.string("x"), .object([("title", .null)])])),
          ("validation_criteria", .array([.integer(3)])),
        ]))
        == ["title", "tasks[0]", "tasks[1].title", "validation_criteria[0]", "ai_feedback"])
    let many = JSONValue.object([
      ("tasks", .array(Array(repeating: .null, count: 100_000)))
    ])
    #expect(fields(many).count == ProposalRules.violationCountMax)
  }

  @Test func `is asked for with a closed schema within the limits`() throws {
    let schema = Prompts.goalSchema
    #expect(
      schema["required"]
        == .array(
          [
            "title", "description", "tasks", "validation_criteria",
            "ai_feedback",
          ].map(JSONValue.string)))
    #expect(schema["additionalProperties"] == .bool(false))
    let tasks = try #require(schema["properties"]?["tasks"])
    #expect(tasks["minItems"] == .integer(3) && tasks["maxItems"] == .integer(5))
    #expect(tasks["items"]?["additionalProperties"] == .bool(false))
    let title = schema["properties"]?["title"]?["maxLength"]?.integerValue
    #expect(try #require(title) <= GoalLimits.title)
  }
}
