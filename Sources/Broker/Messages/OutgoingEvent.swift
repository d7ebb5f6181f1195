package import Domain
import JSON

/// An event as a message: its routing key and its body, JSON that docs/broker.md describes.
package struct OutgoingEvent: Sendable, Hashable {
  package let position: Int64
  /// The id of event and message.
  let id: String
  /// The event's type, and the routing key.
  let type: String
  let secondsSinceEpoch: UInt64
  let body: [UInt8]
  /// Whether payload and metadata were left out.
  package let isCut: Bool

  package var byteCount: Int { body.count }

  /// - Parameters:
  ///   - bodyByteCountMax: where the body would be larger, payload and metadata are left out.
  package init(
    _ event: StoredEvent, logID: EntityID, epoch: UInt32, bodyByteCountMax: Int
  ) {
    position = event.position
    id = event.id.description
    type = event.type
    secondsSinceEpoch = UInt64(clamping: event.createdAt.microsecondsSinceEpoch / 1_000_000)
    let metadata = event.publishedMetadata
    var text = Self.head(event, logID, epoch)
    isCut = text.utf8.count + event.payload.byteCount + metadata.utf8.count + 32 > bodyByteCountMax
    if isCut {
      text += ",\"payload\":null,\"metadata\":null,\"cut_bytes\":\(event.payload.byteCount)}"
    } else {
      text += ",\"payload\":\(event.payload.sealedText),\"metadata\":\(metadata)}"
    }
    body = Array(text.utf8)
  }

  /// All but the last members.
  private static func head(_ event: StoredEvent, _ logID: EntityID, _ epoch: UInt32) -> String {
    let user = event.userID.map { "\"\($0)\"" } ?? "null"
    return """
      {"log":"\(logID)","epoch":\(epoch),"position":\(event.position),"id":"\(event.id)",\
      "type":\(quoted(event.type)),"entity_type":\(quoted(event.entityType)),\
      "entity_id":"\(event.entityID)","version":\(event.version),"user_id":\(user),\
      "schema_version":\(event.schemaVersion),"created_at":"\(event.createdAt)"
      """
  }

  private static func quoted(_ text: String) -> String { JSONValue.string(text).text }
}

/// What Hito's own consumers need of a message: where in which log its event is.
struct EventNotice: Sendable, Hashable {
  var logID: EntityID
  var position: Int64
}

extension EventNotice {
  /// Nil for what is not a message of ours.
  init?(body: String) {
    let fields = JSONFields(of: body, names: ["log", "position"])
    guard case .string(let text)? = fields["log"], let logID = EntityID(text),
      case .number(let number)? = fields["position"], let position = Int64(number.text),
      position > 0
    else { return nil }
    self.logID = logID
    self.position = position
  }
}
