import DescriptorJSON
import JSON
import Testing

@Suite("The proto3 JSON mapping")
struct MappingTests {
  let vectors: Vectors

  init() throws {
    vectors = try Vectors()
  }

  @Test("reads and writes random messages as the reference does")
  func randomMessages() throws {
    let cases = try vectors.cases("random")
    #expect(cases.count == 150)
    for item in cases {
      let json = try vectors.schema.decode(item.binary, as: vectors.everything)
      #expect(json.differences(from: item.json) == [])
      #expect(try vectors.encode(item.input) == item.binary, "\(item.input)")
    }
  }

  @Test("takes every spelling that the reference takes")
  func acceptedSpellings() throws {
    let cases = try vectors.cases("accepted")
    #expect(cases.count == 70)
    for item in cases {
      #expect(throws: Never.self, "\(item.input)") {
        let bytes = try vectors.encode(item.input)
        #expect(bytes == item.binary, "\(item.input)")
        let json = try vectors.schema.decode(bytes, as: vectors.everything)
        #expect(json.differences(from: item.json) == [], "\(item.input)")
      }
    }
  }

  @Test("refuses what the reference refuses")
  func refusedTexts() throws {
    let texts = vectors.refused()
    #expect(texts.count > 50)
    for text in texts {
      #expect(throws: (any Error).self, "\(text)") { try vectors.encode(text) }
    }
  }

  @Test("its own output means the same bytes again, also in the proto's spelling of the names")
  func roundTrips() throws {
    for item in try vectors.cases("random") {
      let json = try vectors.schema.decode(item.binary, as: vectors.everything)
      for text in [json.text, json.shown(), json.shown(.pretty)] {
        #expect(try vectors.encode(text) == item.binary)
      }
      let renamed = json.renamed(using: vectors.everything)
      #expect(try vectors.encode(renamed.text) == item.binary)
    }
  }

  @Test(
    "says where a value is wrong and what was meant",
    arguments: [
      (
        #"{"inners": [{}, {"nam": "x"}]}"#,
        "inners[1].nam: Inner has no such field; did you mean name?"
      ),
      (
        #"{"amount": "AMOUNT_LOT"}"#,
        "amount: Amount has no value \"AMOUNT_LOT\"; did you mean AMOUNT_LOTS?"
      ),
      (
        #"{"innerByInt32": {"4": {"count": "x"}}}"#,
        "innerByInt32[\"4\"].count: \"x\" is not a whole number"
      ),
      (#"{"aString": "a", "a_string": "b"}"#, "aString: is given twice, under both of its names"),
      (
        #"{"chosenInt64": 1, "chosenBool": true}"#,
        "chosenBool: cannot be given together with chosenInt64"
      ),
      (#"{"inner": []}"#, "inner: should be an object (Inner), not an array"),
      (#"[]"#, "should be an object (Everything), not an array"),
      (
        #"{"doubleBySint64": {"1": 2, "01": 3}}"#, "doubleBySint64[\"01\"]: this key is given twice"
      ),
    ])
  func errorTexts(json: String, text: String) throws {
    let error = try #require(throws: ConversionError.self) { try vectors.encode(json) }
    #expect(error.description.hasPrefix(text), "\(error)")
  }

  @Test("keeps the sign of a negative zero")
  func negativeZero() throws {
    let bytes = try vectors.encode(#"{"aDouble": -0.0}"#)
    #expect(bytes == [0x09, 0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(try vectors.decode(bytes) == #"{"aDouble":-0.0}"#)
  }

  @Test("reads what other encoders may write: loose, split, merged, unknown and grouped fields")
  func unusualEncodings() throws {
    let expectations: [([UInt8], String)] = [
      // int32s unpacked, then packed.
      ([0xb8, 0x01, 1, 0xba, 0x01, 2, 2, 3], #"{"int32s":[1,2,3]}"#),
      // loose packed.
      ([0x8a, 0x02, 2, 4, 5], #"{"loose":[4,5]}"#),
      // inner.name, then inner.count: merged; the last an_int32 counts.
      (
        [0x8a, 0x01, 3, 0x0a, 1, 0x78, 0x8a, 0x01, 2, 0x10, 7, 0x18, 1, 0x18, 2],
        #"{"anInt32":2,"inner":{"name":"x","count":"7"}}"#
      ),
      // Unknown field 1000, a group of field 999 around a field, then a_bool.
      ([0xc0, 0x3e, 5, 0xbb, 0x3e, 0x08, 1, 0xbc, 0x3e, 0x68, 1], #"{"aBool":true}"#),
      // Of a oneof, the last member counts.
      ([0xa0, 0x03, 5, 0x9a, 0x03, 1, 0x79], #"{"chosenString":"y"}"#),
      // A map entry without key or value.
      ([0xca, 0x02, 0, 0xd2, 0x02, 0], #"{"stringByString":{"":""},"innerByInt32":{"0":{}}}"#),
    ]
    for (bytes, json) in expectations { #expect(try vectors.decode(bytes) == json) }
  }
}

extension JSONValue {
  /// The members of the outermost object under their proto names.
  fileprivate func renamed(using type: MessageType) -> JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(
      members.map { member in
        let field = type.fields.first { $0.jsonName == member.key }
        return (field?.name ?? member.key, member.value)
      })
  }
}
