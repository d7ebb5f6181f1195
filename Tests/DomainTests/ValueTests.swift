import Domain
import Testing

@Suite("Values")
struct ValueTests {
  @Test("a UUID reads what it writes and refuses everything else")
  func uuidText() throws {
    let text = "0193e2a4-7c1b-7def-8abc-0123456789ab"
    let id = try #require(EntityID(text))
    #expect(id.description == text)
    #expect(EntityID(text.uppercased()) == id)
    #expect(id.bytes.count == 16 && id.bytes[0] == 0x01 && id.bytes[15] == 0xab)
    let wrong = [
      "", "0193e2a4", text + "0", String(text.dropLast()), text.replacing("-", with: "x"),
      "0193e2a47c1b-7def-8abc-0123456789ab-", "g" + text.dropFirst(), "０" + text.dropFirst(),
    ]
    for text in wrong { #expect(EntityID(text) == nil, "\(text)") }
  }

  @Test("ids are of version 7 and grow, also when the clock goes back")
  func uuidOrder() {
    let generator = UUIDv7Generator()
    var last = EntityID(high: 0, low: 0)
    for step in 0..<10_000 {
      let micros = 1_767_225_600_000_000 + Int64(step % 7) * 1000 - Int64(step)
      let id = generator.next(at: Timestamp(microsecondsSinceEpoch: micros))
      #expect(id > last)
      #expect(id.high >> 12 & 0xf == 7)
      #expect(id.low >> 62 == 2)
      last = id
    }
  }

  @Test(
    "a time is written in RFC 3339",
    arguments: [
      (0, "1970-01-01T00:00:00.000000Z", 3),
      (-1, "1969-12-31T23:59:59.999999Z", 2),
      (951_827_696_000_001, "2000-02-29T12:34:56.000001Z", 1),
      (1_767_225_599_999_999, "2025-12-31T23:59:59.999999Z", 2),
      (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z", 0),
      (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z", 5),
      (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z", 4),
      (253_402_300_800_000_000, "10000-01-01T00:00:00.000000Z", 5),
    ] as [(Int64, String, Int)])
  func timestamps(micros: Int64, text: String, weekday: Int) {
    let time = Timestamp(microsecondsSinceEpoch: micros)
    #expect(time.description == text)
    #expect(CivilTime(time).weekday == weekday)
  }

  @Test("controls are those of Unicode's general category")
  func controls() {
    for scalar in (0...0x10_ffff as ClosedRange<UInt32>).lazy.compactMap(Unicode.Scalar.init) {
      guard scalar.isControl != (scalar.properties.generalCategory == .control) else { continue }
      Issue.record("U+\(String(scalar.value, radix: 16))")
    }
  }

  @Test("a time moved beyond its range stops at the end")
  func timestampRange() {
    let time = Timestamp(microsecondsSinceEpoch: 5)
    #expect(time.advanced(by: .seconds(Int64.max)).microsecondsSinceEpoch == .max)
    #expect(time.advanced(by: .seconds(Int64.min)).microsecondsSinceEpoch == .min)
    #expect(time.advanced(by: .milliseconds(-2)).microsecondsSinceEpoch == -1995)
  }

  @Test("a caller acts for others only as a service or an admin")
  func owners() throws {
    let me = EntityID(high: 1, low: 1)
    let other = EntityID(high: 2, low: 2)
    for role in Role.allCases {
      let caller = Caller(userID: me, role: role)
      #expect(try caller.owner(named: nil) == me)
      #expect(try caller.owner(named: me) == me)
      if role.seesEverybody {
        #expect(try caller.owner(named: other) == other)
      } else {
        #expect(throws: DomainError.self) { try caller.owner(named: other) }
      }
    }
  }
}

@Suite("A title or name")
struct TitleTests {
  private func violations(_ title: String, singleLine: Bool = true) -> [String] {
    var validation = Validation()
    validation.text("title", title, minimum: 1, maximum: 50, singleLine: singleLine)
    return validation.violations.map(\.description)
  }

  @Test(
    "has nothing that is not seen or moves what is",
    arguments: [
      "a\u{202e}b", "a\u{2066}b\u{2069}", "a\u{200f}b", "a\u{61c}b", "a\u{200b}b", "a\u{200d}b",
      "a\u{200c}b", "a\u{2060}b", "a\u{feff}b", "a\u{ad}b", "a\u{e0041}b", "a\u{e007f}b",
      "a\u{1b}[31mb", "a\u{0}b", "a\u{9b}b", "a\nb", "a\tb", "a\u{2028}b", "a\u{3164}b",
      "a\u{2800}b",
      "a\u{34f}b", "a\u{fe0f}b", "\u{200d}👩", "👩\u{200d}", "ن\u{200c}",
    ])
  func invisible(_ title: String) {
    #expect(violations(title).count == 1)
    #expect(!InvisibleCharacters.areIn(InvisibleCharacters.removed(from: title)))
  }

  @Test("is held to it where it is optional, and line by line where it has several")
  func optionalAndLabels() {
    func violations(_ text: String, singleLine: Bool) -> [String] {
      var validation = Validation()
      validation.text("x", text, maximum: 50, singleLine: singleLine, isLabel: !singleLine)
      return validation.violations.map(\.description)
    }
    for singleLine in [true, false] {
      #expect(violations("", singleLine: singleLine) == [])
      #expect(violations(" \u{200b}", singleLine: singleLine) == ["must not be empty"])
      #expect(violations("a\u{202e}b", singleLine: singleLine).count == 1)
    }
    #expect(violations("uno\r\n\tdos 👩🏽\u{200d}💻", singleLine: false) == [])
    #expect(violations("uno\ndos\u{200b}", singleLine: false).count == 1)
  }

  @Test(
    "is not blank without what is not seen",
    arguments: [
      " ", "\u{200b}", "\u{2800}\u{2800}", "\u{3164}", " \u{feff} \u{e0041}", "\u{202e}",
      "\u{2003}",
    ])
  func blank(_ title: String) {
    for singleLine in [true, false] {
      #expect(violations(title, singleLine: singleLine) == ["must not be empty"])
    }
  }

  @Test(
    "is of any script, with what its writing needs",
    arguments: [
      "Año nuevo", "C++ & <T>", "مرحبا", "نمی\u{200c}خواهم", "क्\u{200d}ष", "👩🏽\u{200d}💻 y ❤\u{fe0f}",
      "葛\u{e0100}城", "שלום", "e\u{301}",
    ])
  func visible(_ title: String) {
    #expect(violations(title).isEmpty)
    #expect(InvisibleCharacters.removed(from: title) == title)
  }
}

@Suite("A course")
struct CourseTests {
  func course() -> Course {
    Course(
      id: EntityID(high: 1, low: 1), userID: EntityID(high: 2, low: 2), title: "FastAPI",
      description: "", language: "es", technologies: ["fastapi"], attributes: ["level": "1"],
      createdAt: Timestamp(microsecondsSinceEpoch: 0),
      updatedAt: Timestamp(microsecondsSinceEpoch: 0))
  }

  @Test("is archived, reopened and deleted, and each refusal says why")
  func life() throws {
    var course = course()
    let now = Timestamp(microsecondsSinceEpoch: 9)
    #expect(try course.apply(.archive, at: now) == .courseArchived)
    #expect(throws: DomainError.self) { try course.apply(.archive, at: now) }
    #expect(try course.apply(.reopen, at: now) == .courseReopened)
    #expect(try course.apply(.delete, at: now) == .courseDeleted)
    #expect(course.version == 4)
    for action in CourseAction.allCases {
      #expect(throws: DomainError.notFound(.course, course.id)) {
        try course.apply(action, at: now)
      }
    }
  }

  @Test("keeps its technologies where the notes' query looks for them")
  func metadata() {
    #expect(course().metadata.text == #"{"technologies":["fastapi"],"level":"1"}"#)
  }

  @Test("refuses attributes that would hide its technologies")
  func reserved() {
    var course = course()
    course.attributes = ["technologies": "x"]
    course.language = "fr"
    #expect(
      throws: DomainError.invalid([
        FieldViolation("language", "must be one of: es, en"),
        FieldViolation("metadata", "use the field technologies"),
      ])
    ) { try course.validate() }
  }
}
