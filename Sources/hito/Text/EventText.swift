import Contract
import DescriptorJSON
import JSON

/// Events for people, one a line.
enum EventText {
  private static let typeWidth = 18
  private static let titleMax = 48

  /// Time, type, what it is about, how far it is, and the id.
  static func line(_ event: Event, _ style: Style = .none) -> String {
    let payload = JSONValue(parsing: event.payloadJson)
    let time = event.createdAt.flatMap { TimeText.text(seconds: $0.seconds) } ?? "-"
    let type = TerminalText.padded(TerminalText.clean(event.type), typeWidth)
    var line = "\(style.dim(time))  \(style.colour(ofType: event.type, type))"
    if let title = title(payload) {
      line += "  \(TerminalText.clean(title, maximum: titleMax))"
    }
    if let progress = progress(event, payload) { line += "  \(progress)" }
    return line + "  "
      + style.dim("(\(TerminalText.clean(event.entityType)) \(TerminalText.clean(event.entityId)))")
  }

  static func line(_ mark: SubscriptionMark) -> String? {
    switch mark {
    case .caughtUp: "-- caught up; waiting for new events"
    case .fellBehind: "-- too slow for the live stream; reading on from the log"
    default: nil
    }
  }

  private static func title(_ payload: JSONValue?) -> String? {
    for name in ["title", "display_name", "name"] {
      if case .string(let text) = payload?[name], !text.isEmpty { return text }
    }
    return nil
  }

  private static func progress(_ event: Event, _ payload: JSONValue?) -> String? {
    guard event.entityType == "goal", let value = payload?["progress_percentage"]?.doubleValue,
      value.isFinite
    else { return nil }
    let rounded = (value * 10).rounded() / 10
    return rounded == rounded.rounded() && abs(rounded) < 1000
      ? "\(Int(rounded)) %" : "\(rounded) %"
  }
}

extension Style {
  /// By what happened: what is done, what failed or went away, what is new.
  fileprivate func colour(ofType type: String, _ text: String) -> String {
    switch type.split(separator: ".").last {
    case "completed", "passed", "validated": green(text)
    case "failed", "deleted", "revoked", "token_revoked", "deactivated": red(text)
    case "created", "started", "token_issued": blue(text)
    default: text
    }
  }
}
