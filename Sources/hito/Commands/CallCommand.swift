import ArgumentParser
import DescriptorJSON
import Foundation
import HitoClient
import JSON

/// `hito call`: any method, JSON in and JSON out.
struct CallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call",
    abstract: "Call any method, with JSON in and out.",
    discussion: HelpText.prose(
      """
      The methods and their messages come from the server itself. Names can be short: CreateGoal,
      GoalService/CreateGoal or hito.v1.GoalService/CreateGoal. JSON follows the proto3 mapping;
      field names in lowerCamelCase or as in the contract; // comments are allowed. Of a streaming
      method, each answer is one line; a method that takes a stream takes any number of JSON
      values.

        hito call --list
        hito call --describe CreateGoal > goal.json
        hito call CreateGoal @goal.json
        hito call CreateGoal '{"title": "Aprender FastAPI"}'
        hito call ProgressService/Watch '{"fromBeginning": true}' --stream-limit 10

      Exit status: 0 done, 1 the call failed, 64 wrong usage, 69 the server is not available, 74 standard output takes nothing more.
      """))

  @Argument(help: "The method.", completion: .custom { CallCompletion.methods($2) })
  var method: String?

  @Argument(
    help: "The request: JSON, @file, or - for standard input. Default: {}.",
    completion: .custom { words, _, prefix in CallCompletion.requests(words, prefix) })
  var request: String?

  @OptionGroup var client: ClientOptions

  @Option(help: "Makes a write happen once, however often it is sent: 1 to 128 bytes.")
  var idempotencyKey: String?

  @Option(help: "Trace of which the call is a part (W3C traceparent).")
  var traceparent: String?

  @Option(
    help:
      "Metadata of the call, KEY=VALUE; of a key that ends with -bin the value is base64. May be repeated."
  )
  var metadata: [String] = []

  @Flag(
    help:
      "Show what the server says before and after its answers (metadata, trailers) on standard error."
  )
  var trailers = false

  @Option(help: "End a stream after so many answers.")
  var streamLimit: Int?

  @Option(
    help: "json (one line each) or pretty. Default: pretty for one answer, json for a stream.")
  var output: OutputStyle?

  @Option(
    help: "Print this field of each answer alone, for scripts: goal.id, or tasks.0.id.",
    completion: .custom { words, _, prefix in CallCompletion.fields(words, prefix) })
  var pick: String?

  @Flag(help: "Show what the method does, and its request as JSON with comments.")
  var describe = false

  @Flag(help: "List all methods.")
  var list = false

  enum OutputStyle: String, ExpressibleByArgument, CaseIterable {
    case json, pretty

    var style: JSONValue.ShownStyle { self == .json ? .compact : .pretty }
  }

  func validate() throws {
    if !list, method == nil {
      throw ValidationError("which method? `hito call --list` shows all of them")
    }
    _ = try CallMetadata(metadata)
    if let streamLimit, streamLimit < 1 {
      throw ValidationError("--stream-limit must be 1 or more")
    }
  }

  func run() async throws {
    try await reporting(client) { server in
      if list || describe { return try await show(server) }
      let schema = try await server.schema(options: client.callOptions)
      let method = try schema.find(method ?? "")
      let requests = try requests(for: method, schema)
      var options = client.callOptions
      options.idempotencyKey = idempotencyKey
      options.traceparent = traceparent
      let metadata = try CallMetadata(metadata)
      options.metadata = metadata.entries
      options.binaryMetadata = metadata.binaryEntries
      let call = DynamicCall(
        transport: server.transport, schema: schema, method: method, options: options,
        style: output?.style ?? (method.isServerStreaming ? .compact : .pretty),
        pick: try pick.map { try PickedField($0, in: schema.messages[method.output], schema) },
        limit: streamLimit, showsTrailers: trailers)
      try await call.run(requests)
    }
  }

  private func show(_ server: HitoClient) async throws {
    var schema: Schema
    do {
      schema = try await server.schema(options: client.callOptions)
    } catch let error as RPCError where error.code == .unavailable {
      Output.note("note: no server answers; this is the contract of this program's own version")
      schema = try Schema.own()
    }
    if let method, describe {
      let text = schema.description(of: try schema.find(method))
      return Output.text(TerminalText.wrappedComments(text, columns: TerminalSize.columns()))
    }
    let missing = await notImplemented(server)
    var table = TextTable()
    for method in schema.methods {
      let firstLine = method.comment.split(separator: "\n").first.map(String.init) ?? ""
      let kind = method.isReadOnly ? "reads" : "writes"
      table.add([method.shortPath, missing.contains(method.path) ? "not yet" : kind, firstLine])
    }
    Output.text(table.text(columns: TerminalSize.columns()))
    let count = schema.methods.count { missing.contains($0.path) }
    if count > 0 { Output.note("\(count) methods (`not yet`) answer UNIMPLEMENTED on this server") }
  }

  /// The methods that this server has only in its contract; none where it does not say.
  private func notImplemented(_ server: HitoClient) async -> Set<String> {
    let response = try? await server.reflection.listMethods(
      ListMethodsRequest(), options: client.callOptions)
    return Set((response?.methods ?? []).filter { !$0.implemented }.map(\.path))
  }

  /// The request messages, converted before anything is sent.
  private func requests(for method: DescriptorJSON.Method, _ schema: Schema) throws -> [RawMessage]
  {
    let text = try RequestText.read(request)
    let type = schema.messages[method.input]
    do {
      let nodes =
        method.isClientStreaming
        ? try JSONValue.sequence(typed: text)
        : [try JSONValue(typed: text.allSatisfy(\.isWhitespace) ? "{}" : text)]
      return try nodes.map { RawMessage(try schema.encode($0, as: type)) }
    } catch let error as JSONSyntaxError {
      throw CommandFailure("the request is not valid JSON: \(error)", exitStatus: ExitStatus.usage)
    } catch let error as ConversionError {
      throw CommandFailure(
        "the request is not a valid \(type.shortName): \(error)\nhint: `hito call --describe "
          + "\(method.shortPath)` shows its fields", exitStatus: ExitStatus.usage)
    }
  }
}

extension Schema {
  fileprivate func find(_ name: String) throws -> DescriptorJSON.Method {
    do {
      return try method(named: name)
    } catch {
      throw CommandFailure("\(error)", exitStatus: ExitStatus.usage)
    }
  }
}

/// Where a request's text comes from.
enum RequestText {
  static func read(_ argument: String?) throws -> String {
    guard let argument else { return "" }
    let bytes: [UInt8]
    if argument == "-" {
      bytes = try InputFile.standardInput(byteCountMax: JSONValue.byteCountMax)
    } else if argument.hasPrefix("@") {
      do throws(InputFile.Failure) {
        bytes = try InputFile.bytes(
          String(argument.dropFirst()), byteCountMax: JSONValue.byteCountMax)
      } catch {
        throw CommandFailure("\(error)", exitStatus: ExitStatus.usage)
      }
    } else {
      return argument
    }
    guard let text = InputFile.text(bytes) else {
      throw CommandFailure("the request is not UTF-8", exitStatus: ExitStatus.usage)
    }
    return text
  }
}
