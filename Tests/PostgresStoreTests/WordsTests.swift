import Domain
import Testing

@testable import PostgresStore

/// Texts and questions are cut and compared in one way.
@Suite struct WordsTests {
  /// The texts found by words, best first, of goals with these.
  private static func found(
    _ question: String, in texts: [String], _ store: StoreFixture, _ user: User
  ) async throws -> [Candidate] {
    for text in texts {
      let goal = try await store.addGoal(owner: user)
      try await store.savePassage(
        .goal, goal.goal.id, user, text, RetrievalStoreTests.vector(1))
    }
    let query = CandidateQuery(
      scope: .goals(learnerID: user.id, statuses: [.pending]), vector: nil, words: question,
      limit: 10)
    return try await store.found(query).byWords
  }

  private static func texts(
    _ question: String, in texts: [String], _ store: StoreFixture
  ) async throws -> [String] {
    let user = try await store.addUser("Ada")
    let candidates = try await found(question, in: texts, store, user)
    let passages = try await store.retrieval.passages(candidates.map(\.key), as: user.id)
    return candidates.compactMap { passages[$0.key]?.passage.content }
  }

  @Test(arguments: [
    ("asyncio.run", 0), ("main.py", 1), ("package.json", 1), ("os.path.join", 2), ("os.path", 2),
    ("path.join", 2), ("getUserById", 3), ("user by id", 3), ("getuserbyid", 3),
    ("get_user_by_id", 3), ("data_loader", 3), ("loader", 3), ("dataLoader", 3),
    ("data-loader", 3), ("HTTPServer", 4), ("http server", 4), ("3.11.2", 5), ("3.11", 5),
    ("ana@example.org", 6), ("api.example.org:8080", 6), ("users/me", 6), ("C++", 7), ("c#", 8),
    ("cancio\u{301}n", 9), ("canci\u{f3}n", 9), ("cancion", 9), ("CANCIÓN", 9), ("pinguino", 9),
    ("СВОБОДА", 10), ("strasse", 11), ("ｆａｓｔ", 12), ("cargar", 13),
  ]) func itIsFoundByItsOwnText(question: String, expected: Int) async throws {
    let texts = [
      "Usa asyncio.run(main()) para arrancar el bucle.", "Edita main.py y package.json.",
      "Llama a os.path.join con dos partes.",
      "La función getUserById y el módulo data_loader.", "class HTTPServer: run the package",
      "Python 3.11.2 y no 3.2.11", "Escribe a ana@example.org o mira api.example.org:8080/users/me",
      "Punteros en C++ moderno", "Clases de C# y asyncio", "Aprender cancio\u{301}n y pingüino",
      "свобода", "Die Straße", "fast path", "main carga y descarga join",
    ]
    try await StoreFixture.run { store in
      let found = try await Self.texts(question, in: texts, store)
      #expect(found.first == texts[expected])
    }
  }

  /// What callers may write has words, whatever it is: the limits of a goal's texts are 200 characters
  /// and 30,000.
  @Test(arguments: [
    "repeat('ñ', 30000)", "repeat('a', 30000)", "repeat('aB', 15000)", "repeat('ñ.', 15000)",
    "repeat('ñ-' || repeat('á', 1500) || '.', 19)", "repeat(E'\\u0301', 30000)",
    "repeat('#', 30000)",
    "repeat('😀', 30000)", "repeat('~ ', 15000)",
    "(SELECT left(string_agg('ế' || i || 'ñ', ' '), 30000) FROM generate_series(1, 9000) i)",
    "(SELECT left(string_agg('ế' || i || 'ñ', '.'), 30000) FROM generate_series(1, 9000) i)",
    "(SELECT left(string_agg('e' || i || 'Ñá', '@'), 30000) FROM generate_series(1, 9000) i)",
    "(SELECT left(string_agg(chr(19968 + i), ' '), 30000) FROM generate_series(1, 15000) i)",
  ]) func everyTextCanBeWritten(text: String) async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let rows = try await script.run(
        """
        SELECT length(hito_words(left(t, 200), t)) >= 0, (SELECT count(*) >= 0 FROM hito_terms(t))
        FROM (SELECT \(text) AS t) t
        """)
      #expect(rows == [["t", "t"]])
    }
  }

  @Test func whatMatchesExactlyComesBeforeWhatDoesWithoutAccents() async throws {
    try await StoreFixture.run { store in
      let texts = ["Aprender programación", "Aprender programacion"]
      let found = try await Self.texts("programacion", in: texts, store)
      #expect(found == [texts[1], texts[0]])
    }
    try await StoreFixture.run { store in
      let texts = ["Aprender programacion", "Aprender programación"]
      let found = try await Self.texts("programación", in: texts, store)
      #expect(found == [texts[1], texts[0]])
    }
  }

  @Test func aRareWordCountsMoreThanCommonOnesAndCoversMoreOfTheQuestion() async throws {
    try await StoreFixture.run { store in
      let user = try await store.addUser("Ada")
      let common = (1...8).map { "Aprender rutas de la API \($0)" }
      let found = try await Self.found(
        "aprender rutas websocket", in: common + ["Un websocket"], store, user)
      #expect(found.count == 9 && found[0].coverage > 0.5 && found[1].coverage < 0.5)
      #expect(found.allSatisfy { !$0.hasAllWords && $0.coverage > 0 && $0.coverage < 1 })
    }
  }

  @Test func allWordsAreThereInWhateverForm() async throws {
    try await StoreFixture.run { store in
      let user = try await store.addUser("Ada")
      let found = try await Self.found(
        "¿Las rutas de FastAPI?", in: ["ruta en fastapi", "Fast API"], store, user)
      #expect(found.map(\.hasAllWords) == [true, false])
      #expect(found[0].coverage == 1)
      let none = try await Self.found("¿?", in: [], store, user)
      #expect(none.isEmpty)
    }
  }

  @Test(arguments: ["'", "\\", "a'b\\c", "~", "\u{1}", "&|!:*<->()", "x:*", "😀 a_b'c", "ʼ.ʼ"])
  func noSignOfAQuestionIsAnOperator(question: String) async throws {
    try await StoreFixture.run { store in
      _ = try await Self.texts(question, in: ["it's a\\b 'x' \(question)"], store)
    }
  }

  @Test(arguments: ["canción", "cancio\u{301}n", "CANCIÓN", "CANCIO\u{301}N"])
  func titlesAreComparedComposedAndInAnyCase(part: String) async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let titles = ["La cancio\u{301}n", "La canci\u{f3}n", "La cancion"]
      for title in titles { _ = try await store.addGoal(owner: ada, title: title) }
      var filter = GoalFilter()
      filter.titleContains = part
      let page = try await store.goals.goals(
        filter, page: PageRequest(limit: 50), scope: AccessScope(ada))
      let found = page.items.map { Array($0.title.unicodeScalars) }
      #expect(Set(found) == Set(titles.prefix(2).map { Array($0.unicodeScalars) }))
    }
  }

  /// Words that another build stored are made anew, whoever writes meanwhile.
  @Test(arguments: [
    (Migration.words.version, "words @@ '''main.py''' AND words @@ '''~cancion'''"),
    (Migration.scripts.version, "words @@ '''mainpy'''"),
  ]) func theMigrationMakesStoredWordsAnew(version: Int, condition: String) async throws {
    try await StoreFixture.inTurn {
      let connection = try await StoreFixture.emptyDatabase()
      let settings = ConnectionSettings(conninfo: connection.conninfo(role: .owner))
      let migrator = Migrator(settings)
      _ = try await migrator.migrate(to: version - 1)
      let session = try await ScriptSession(settings)
      try await session.run(
        """
        INSERT INTO users (id, role, display_name, language, time_zone, is_active, version, created_at,
          updated_at)
          SELECT gen_random_uuid(), 'learner', 'Ada', 'es', 'UTC', true, 1, now(), now();
        INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
          content_hash, language, document_path, anchor, waits, created_at, updated_at)
          SELECT 'goal', gen_random_uuid(), 0, u.id, 'Título', 'canción ' || i || ' en main.py',
            sha256('x'), 'es', '', '', false, now(), now()
          FROM users u, generate_series(1, 1200) i
        """)
      let count = """
        SELECT count(*) FILTER (WHERE \(condition)),
          count(*) FILTER (WHERE words = hito_words(title, content)) FROM passages
        """
      #expect(try await session.run(count)[0][0] == "0")
      _ = try await migrator.migrate(to: version)
      #expect(try await session.run(count) == [["1200", "1200"]])
      #expect(
        try await session.run("SELECT to_regclass('passages_old_words') IS NULL") == [["t"]])
      _ = try await migrator.migrate(to: version - 1)
      _ = try await migrator.migrate(to: version)
      #expect(try await session.run(count) == [["1200", "1200"]])
    }
  }
}
