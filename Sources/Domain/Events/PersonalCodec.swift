#if DEBUG
  internal import Digits
  internal import Synchronization
#endif

/// Where a personal value stands. What is sealed for one place must not open at another.
package struct PersonalPlace: Sendable, Hashable {
  package enum Part: String, Sendable, Hashable { case payload, metadata }

  package var eventID: EntityID
  package var part: Part
  package var member: String
}

/// A sealed value.
package struct PersonalBox: Sendable, Hashable {
  /// The name of the key, for whoever opens it.
  package var key: String
  /// Printable, and to nobody without the key more than a length.
  package var content: String

  package init(key: String, content: String) {
    self.key = key
    self.content = content
  }
}

/// A personal value could not be sealed now: the event must not be stored, and may be later.
package struct SealingFailed: Error, Sendable, Hashable {
  package var reason: String

  package init(_ reason: String) { self.reason = reason }
}

/// Seals personal values of events, and opens them again (ADR 0018). Neither waits: whoever reads or
/// writes events of a person has fetched the person's key before.
package protocol PersonalCodec: Sendable {
  /// Whether it may seal a value of this person: where not, the value's text is not even made.
  func seals(_ person: EntityID) -> Bool

  /// - Parameter text: of a JSON value.
  /// - Returns: nil where values of this person are stored in clear.
  /// - Throws: where they are not, but cannot be sealed now: the event must not be stored.
  func seal(
    _ text: String, at place: PersonalPlace, of person: EntityID
  ) throws(SealingFailed) -> PersonalBox?

  /// - Returns: nil where the key has gone for good, and the value with it.
  func open(_ box: PersonalBox, at place: PersonalPlace) -> String?
}

extension PersonalCodec {
  package func seals(_ person: EntityID) -> Bool { true }
}

/// Stores everything in clear.
package struct ClearCodec: PersonalCodec {
  package init() {}

  package func seals(_ person: EntityID) -> Bool { false }

  package func seal(_ text: String, at place: PersonalPlace, of person: EntityID) -> PersonalBox? {
    nil
  }

  package func open(_ box: PersonalBox, at place: PersonalPlace) -> String? { nil }
}

/// The codec of this process: the switch. Tests turn on one that shows where values pass it by; a
/// release server has no way to.
package enum PersonalCodecs {
  #if DEBUG
    @TaskLocal package static var ofTask: (any PersonalCodec)?
    private static let ofProcess = Mutex<any PersonalCodec>(ClearCodec())

    static var current: any PersonalCodec { ofTask ?? ofProcess.withLock { $0 } }

    package static func use(_ codec: any PersonalCodec) { ofProcess.withLock { $0 = codec } }
  #else
    static let current: any PersonalCodec = ClearCodec()
  #endif
}

#if DEBUG
  /// For tests: hides values without protecting them, and notices one that was moved.
  package struct MarkingCodec: PersonalCodec {
    private let hasKeys: Bool

    package init(hasKeys: Bool = true) { self.hasKeys = hasKeys }

    package func seal(
      _ text: String, at place: PersonalPlace, of person: EntityID
    ) -> PersonalBox? {
      PersonalBox(
        key: "\(person)/1", content: Digits.hexadecimal(Array("\(label(place))\(text)".utf8)))
    }

    package func open(_ box: PersonalBox, at place: PersonalPlace) -> String? {
      guard hasKeys else { return nil }
      let digits = box.content.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
      let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let label = label(place)
      guard text.hasPrefix(label) else { return nil }
      return String(text.dropFirst(label.count))
    }

    private func label(_ place: PersonalPlace) -> String {
      "\(place.eventID) \(place.part.rawValue) \(place.member) "
    }
  }
#endif
