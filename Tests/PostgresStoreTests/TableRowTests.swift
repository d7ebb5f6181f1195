import Domain
import JSON
import Testing

@testable import PostgresStore

/// A table as docs/adding-a-table.md adds one: its description writes it and reads it back.
@Suite struct TableRowTests {
  struct Note: Hashable {
    var id: EntityID
    var userID: EntityID
    var text: String
    var tags: [String] = []
    var hash: [UInt8] = []
    var dueAt: Timestamp?
    var extra: [String: String] = [:]
    var version: Int64 = 1
  }

  enum NoteRow: TableRow {
    static let layout = RowLayout(of: NoteRow.self, "notes", as: "n")
    static let blank = Note(id: .blank, userID: .blank, text: "")

    static func visit(_ note: inout Note, _ columns: inout some ColumnVisitor) {
      columns.key("id", &note.id)
      columns.fixed("user_id", &note.userID)
      columns.column("text", &note.text)
      columns.column("tags", &note.tags)
      columns.column("hash", &note.hash)
      columns.column("due_at", &note.dueAt)
      let extra = note.extra.sorted { $0.key < $1.key }
      columns.written("extra", JSONValue.object(extra.map { ($0.key, .string($0.value)) }))
      columns.read(object: "n.extra", &note.extra)
      columns.column("version", &note.version)
    }
  }

  static let table = """
    CREATE TABLE notes (id uuid PRIMARY KEY, user_id uuid NOT NULL, text text, tags text[] NOT NULL,
      hash bytea NOT NULL, due_at timestamptz, extra jsonb NOT NULL, version bigint NOT NULL);
    GRANT SELECT, INSERT, UPDATE ON notes TO hito_app
    """

  static let insert = Query<Inserted<NoteRow>>("test.note_insert", NoteRow.insert)
  static let update = Query<Updated<NoteRow>>(
    "test.note_update", NoteRow.update(where: "version = $version - 1"))
  static let insertAll = Query<Listed<NoteRow>>(
    "test.notes_insert",
    """
    INSERT INTO notes (\(NoteRow.names))
    SELECT \(NoteRow.elements) FROM unnest(\(NoteRow.arrays)) AS n (\(NoteRow.names))
    ON CONFLICT (id) DO UPDATE SET \(NoteRow.overwriting)
    """)
  static let all = Query<EntityID>(
    "test.notes",
    "SELECT \(NoteRow.columns), 7::int8 FROM notes n WHERE n.user_id = $1 ORDER BY n.id")

  private static func note(_ store: StoreFixture, owner: EntityID, _ text: String = "ñ") -> Note {
    Note(id: store.ids.next(at: StoreFixture.start), userID: owner, text: text)
  }

  @Test func oneDescriptionMakesEveryPartOfTheSQL() {
    #expect(
      NoteRow.columns
        == """
        n.id, n.user_id, n.text, n.tags, n.hash, n.due_at, \
        ARRAY(SELECT key FROM jsonb_each_text(n.extra) ORDER BY key), \
        ARRAY(SELECT value FROM jsonb_each_text(n.extra) ORDER BY key), n.version
        """)
    #expect(NoteRow.width == 9)
    #expect(NoteRow.columns(emptying: "text").hasPrefix("n.id, n.user_id, '', n.tags"))
    #expect(
      NoteRow.insert
        == """
        INSERT INTO notes (id, user_id, text, tags, hash, due_at, extra, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """)
    #expect(
      NoteRow.update(where: "version = $version - 1 AND $next").hasPrefix(
        """
        WITH changed AS (
          UPDATE notes SET text = $2, tags = $3, hash = $4, due_at = $5, extra = $6, version = $7
          WHERE id = $1 AND version = $7 - 1 AND $8
        """))
    #expect(NoteRow.update(where: "$nobody = $1").contains("AND $nobody = $1"))
    #expect(NoteRow.elements.contains("n.tags::text[], n.hash,"))
    #expect(NoteRow.next == 9)
    #expect(
      Self.insert.statement.parameters
        == [.uuid, .uuid, .text, .textArray, .bytea, .timestamptz, .jsonb, .int8])
    #expect(
      Self.insertAll.statement.parameters
        == [
          .uuidArray, .uuidArray, .textArray, .textArray, .byteaArray, .timestamptzArray,
          .jsonbArray, .int8Array,
        ])
  }

  @Test func whatIsWrittenReadsBack() async throws {
    try await StoreFixture.run { store in
      try await store.script().run(Self.table)
      let owner = store.ids.next(at: StoreFixture.start)
      var first = Self.note(store, owner: owner)
      first.tags = ["", "{\"a\"}", "\\"]
      first.hash = [0, 255]
      first.dueAt = StoreFixture.start
      first.extra = ["b": "1", "a": "\"2\""]
      let (second, third) = (
        Self.note(store, owner: owner, ""), Self.note(store, owner: owner, "tres")
      )
      _ = try await store.database.write(Self.insert(Inserted(first)), for: .commit)
      _ = try await store.database.write(Self.insertAll(Listed([second, third])), for: .commit)
      func notes() async throws -> [Note] {
        try await store.database.rows(Self.all(owner), as: .nobody).map(NoteRow.read)
      }
      #expect(try await notes() == [first, second, third])
      // All of them at once: an array may hold arrays of any length, and NULLs.
      first.tags = ["x"]
      _ = try await store.database.write(
        Self.insertAll(Listed([first, second, third])), for: .commit)
      first.version = 2
      first.text = "otro"
      first.dueAt = nil
      // What never changes is not touched by an update.
      var stranger = first
      stranger.userID = second.id
      _ = try await store.database.write(Self.update(Updated(stranger)), for: .commit)
      #expect(try await notes() == [first, second, third])
      // A row that has changed.
      let stale = StatementUnit(writing: [Self.update(Updated(first))], for: .commit)
      let error = await #expect(throws: UnitError.self) { try await store.database.attempt(stale) }
      #expect(error?.serverError?.sqlState == ServerError.stale)
      // Columns after the row's own, and an empty list.
      let rows = try await store.database.rows(Self.all(owner), as: .nobody)
      let (version, number): (Int64, Int64) = try rows[0].values(from: NoteRow.width - 1)
      #expect((version, number) == (2, 7))
      _ = try await store.database.write(Self.insertAll(Listed([])), for: .commit)
      #expect(try await notes().count == 3)
    }
  }

  @Test func aCellThatIsNotWhatTheColumnSaysIsCorrupt() async throws {
    try await StoreFixture.run { store in
      let script = try await store.script()
      try await script.run(Self.table)
      let owner = store.ids.next(at: StoreFixture.start)
      _ = try await store.database.write(
        Self.insert(Inserted(Self.note(store, owner: owner))), for: .commit)
      func read() async throws(StoreError) {
        _ = try await store.database.rows(Self.all(owner), as: .nobody).map(NoteRow.read)
      }
      try await script.run("UPDATE notes SET text = NULL")
      await #expect(throws: StoreError.corrupt("the column text is NULL")) { try await read() }
      let wrong = Statement("test.note_wrong", "SELECT 1::int8")
      let row = try await store.database.rows(wrong(), as: .nobody)[0]
      #expect(throws: StoreError.corrupt("the column id does not hold a valid EntityID")) {
        try NoteRow.read(row)
      }
    }
  }
}
