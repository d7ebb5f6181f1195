import Domain
import Testing

@testable import PostgresStore

/// Words of scripts without spaces, emoji, letters beside digits and spellings of names: a text is found by
/// its own words, and before all others.
@Suite struct WordsOfScriptsTests {
  /// Texts, each with the questions whose words it has, all of them.
  static let cases: [(text: String, questions: [String])] = [
    // Without spaces.
    ("我想学习编程", ["编程", "学习", "想学习", "我想学习编程", "编"]),
    ("使用FastAPI框架，数据库、索引", ["框架", "使用FastAPI", "索引", "数据库"]),
    ("ﾌﾟﾛｸﾞﾗﾐﾝｸﾞを学びたい", ["プログラミング", "学びたい"]),
    ("Swiftで機械学習・画像", ["機械学習", "swift 画像"]),
    ("프로그래밍을 배우고 싶어요", ["프로그래밍", "프로그래밍을", "배우고"]),
    ("ฉันอยากเรียนเขียนโปรแกรม", ["โปรแกรม"]),
    ("หนังสือ中文和日本語", ["中文", "日本語"]),
    // Emoji.
    ("Despega🚀rápido", ["🚀", "despega", "despega 🚀"]),
    ("👍🏽 listo", ["👍", "👍🏽", "👍🏿"]), ("👨‍👩‍👧 familia", ["👨‍👩‍👧", "👧"]),
    ("🇪🇸 español", ["🇪🇸"]), ("🇸🇪 sueco", ["🇸🇪"]), ("Con ❤️ hecho", ["❤", "❤️"]),
    // Letters and digits.
    ("Configura OAuth2 en el servidor", ["oauth2", "OAuth2", "oauth"]),
    ("class OAuth2PasswordBearer", ["oauth2passwordbearer", "password bearer", "oauth2 bearer"]),
    ("La codificación UTF-8", ["utf8", "utf-8", "UTF8", "utf_8"]),
    ("El resumen sha256", ["SHA-256", "sha256", "sha 256"]),
    ("Direcciones IPv6 y H.264", ["ipv6", "IPv6", "h264"]), ("k8s y i18n", ["K8s", "i18n"]),
    ("Instala Ruby 3.2", ["ruby3"]), ("CO₂ y H₂O", ["co2", "h2o"]),
    // Names of languages and frameworks.
    ("Punteros en C++ moderno", ["c++", "C++"]), ("Clases de C# genéricas", ["c#", "C#", "C♯"]),
    ("F# funcional", ["f#", "F#"]), ("Aprende .NET hoy", [".NET", ".net", "net"]),
    ("ASP.NET Core", ["asp.net", "ASP.NET Core", "aspnet"]),
    ("Un servicio en node.js", ["node.js", "Node.js", "nodejs", "NodeJS"]),
    ("Objective-C clásico", ["objective-c", "Objective C"]),
    // Tags and mentions.
    ("Publica con #AprenderPython", ["#aprenderpython", "#AprenderPython", "aprender python"]),
    ("Un tema #año2026", ["#año2026", "año2026", "ano2026"]), ("Lo dice @ana_ruiz", ["@ana_ruiz"]),
    // Letters with and without signs.
    ("Los niños del pingüino", ["niños", "ninos", "nino", "niño", "pinguinos"]),
    ("La cigueña y el nandu", ["cigüeña", "ñandú", "ciguena"]),
    ("Diyarbakır KIRMIZI", ["diyarbakir", "DIYARBAKIR", "kırmızı", "kirmizi"]),
    ("İzmir ILIK", ["izmir", "İZMİR", "ılık"]),
    ("Die Straße ist groß", ["strasse", "STRASSE", "straße", "STRAẞE", "gross"]),
    ("Une œuvre", ["oeuvre", "ŒUVRE"]), ("Smørrebrød og æbler", ["smorrebrod", "aebler"]),
    ("Ο ΣΊΣΥΦΟΣ", ["σίσυφος", "σισυφος"]), ("العَرَبِيَّة", ["العربية"]), ("עִבְרִית", ["עברית"]),
    ("हिन्दी भाषा", ["हिन्दी", "भाषा"]), ("soft\u{ad}ware li\u{200b}bre", ["software", "libre"]),
  ]

  @Test func everyTextIsFoundFirstByItsOwnWords() async throws {
    try await StoreFixture.run { store in
      let user = try await store.addUser("Ada")
      var owners: [EntityID: String] = [:]
      for (text, _) in Self.cases {
        let goal = try await store.addGoal(owner: user)
        owners[goal.goal.id] = text
        try await store.savePassage(
          .goal, goal.goal.id, user, text, RetrievalStoreTests.vector(1))
      }
      for (text, questions) in Self.cases {
        for question in questions {
          let query = CandidateQuery(
            scope: .goals(learnerID: user.id, statuses: [.pending]), vector: nil,
            words: question, limit: 5)
          let found = try await store.found(query).byWords
          let names = found.map { owners[$0.key.entityID] ?? "" }
          #expect(names.first == text, "\(question)")
          #expect(found.first?.hasAllWords == true, "\(question)")
        }
      }
    }
  }

  /// What costs the most is bounded: signs of 20,000 kinds.
  @Test func aLongTextWithoutSpacesIsStoredAndFound() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      let rows = try await script.run(
        """
        SELECT (hito_words('', t) @@ (SELECT term FROM hito_terms(substr(t, 29990, 2)) LIMIT 1)),
          (SELECT count(DISTINCT word) <= 32 FROM hito_terms(t))
        FROM (SELECT string_agg(chr(19968 + (i * 7919) % 20000), '') AS t
          FROM generate_series(1, 30000) i) t
        """)
      #expect(rows == [["t", "t"]])
    }
  }

  /// Goals of all statuses are searched without asking the goals: a deleted one has no passages.
  @Test(arguments: [1, 3, 2_001]) func allStatusesFindWhatEachFinds(count: Int) async throws {
    try await StoreFixture.run { store in
      let user = try await store.addUser("Ada")
      let goal = try await store.addGoal(owner: user)
      try await store.savePassage(
        .goal, goal.goal.id, user, "Aprender cerámica", RetrievalStoreTests.vector(1))
      if count > 1 {
        let script = try await store.script()
        _ = try await script.run(
          """
          WITH fresh AS (
            INSERT INTO goals (id, user_id, title, description, status, progress_percentage,
                validation_criteria, ai_feedback, version, revision, created_at, updated_at)
              SELECT gen_random_uuid(), '\(user.id)', 'meta ' || i, '', 'completed', 100, '{}', '', 1, 1,
                now(), now() FROM generate_series(2, \(count)) i RETURNING id, title)
          INSERT INTO passages (entity_type, entity_id, chunk_number, user_id, title, content,
              content_hash, language, document_path, anchor, waits, created_at, updated_at)
            SELECT 'goal', id, 0, '\(user.id)', title, 'aprender ' || title, sha256('x'), 'es', '', '',
              false, now(), now() FROM fresh
          """)
      }
      let nobody = try await store.addUser("Bob")
      for statuses in [[WorkStatus.pending], WorkStatus.allCases] {
        for (id, expected) in [(user.id, [goal.goal.id]), (nobody.id, [])] {
          let query = CandidateQuery(
            scope: .goals(learnerID: id, statuses: statuses), vector: nil,
            words: "aprender ceramica", limit: 1)
          #expect(try await store.found(query).byWords.map(\.key.entityID) == expected)
        }
      }
    }
  }
}
