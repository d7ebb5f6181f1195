import DescriptorJSON
import JSON
import Testing

@Suite("Methods")
struct MethodLookupTests {
  let schema: Schema

  init() throws {
    schema = try Vectors().schema
  }

  @Test(
    "are found under each of their names",
    arguments: [
      "vectors.v1.EverythingService/CreateEverything",
      "/vectors.v1.EverythingService/CreateEverything",
      "EverythingService/CreateEverything", "everything.EverythingService/CreateEverything",
      "Everything/CreateEverything", "CreateEverything", "createeverything",
      "EverythingService.CreateEverything", "vectors.v1.EverythingService.CreateEverything",
    ])
  func names(name: String) throws {
    let method = try schema.method(named: name)
    #expect(method.path == "vectors.v1.EverythingService/CreateEverything")
  }

  @Test("of one name in two services must be named in full")
  func ambiguous() throws {
    let error = try #require(throws: MethodLookupError.self) { try schema.method(named: "watch") }
    #expect(error.description.contains("EverythingService/Watch, OtherService/Watch"))
    #expect(try schema.method(named: "Other/Watch").service == "vectors.v1.OtherService")
  }

  @Test("that do not exist are answered with what is near")
  func unknown() throws {
    for name in [
      "CreateEveryting", "EverythingService/CreateEveryting", "Evrything/CreateEverything",
    ] {
      let error = try #require(throws: MethodLookupError.self) { try schema.method(named: name) }
      #expect(error.description.hasSuffix("did you mean EverythingService/CreateEverything?"))
    }
    let error = try #require(throws: MethodLookupError.self) { try schema.method(named: "Zzz") }
    #expect(error == .unknown("Zzz", suggestions: []))
    #expect(throws: MethodLookupError.self) { try schema.method(named: "") }
    #expect(throws: MethodLookupError.self) { try schema.method(named: "/") }
  }

  @Test("know their kind")
  func kinds() throws {
    let watch = try schema.method(named: "Everything/Watch")
    #expect(watch.isServerStreaming && !watch.isClientStreaming && watch.isReadOnly)
    let talk = try schema.method(named: "Talk")
    #expect(talk.isServerStreaming && talk.isClientStreaming && !talk.isReadOnly)
  }

  @Test("are described by their comments and a request that can be sent as it is")
  func descriptions() throws {
    let method = try schema.method(named: "CreateEverything")
    let text = schema.description(of: method)
    #expect(text.contains("// Makes one."))
    #expect(text.contains("  // A string,\n  // on two lines.\n  \"aString\": \"\""))
    #expect(text.contains("// One of: AMOUNT_UNSPECIFIED, AMOUNT_LITTLE"))
    #expect(text.contains(":\n  // \"chosenInt64\": \"0\""))
    #expect(text.contains("  // Instead of \""))
    let input = schema.messages[method.input]
    let json = try JSONValue(typed: text)
    #expect(throws: Never.self) { try schema.encode(json, as: input) }
  }
}
