/// One or more parameters of a statement: their types, and the values that go there.
protocol SQLParameters {
  static var types: [SQLType] { get }
  func append(to buffer: inout ParameterBuffer)
}

/// Several parameters as one, in order.
struct Parameters<each Parameter: SQLParameters>: SQLParameters {
  private let values: (repeat each Parameter)

  init(_ values: repeat each Parameter) { self.values = (repeat each values) }

  static var types: [SQLType] {
    var types: [SQLType] = []
    repeat types.append(contentsOf: (each Parameter).types)
    return types
  }

  func append(to buffer: inout ParameterBuffer) {
    repeat (each values).append(to: &buffer)
  }
}

/// A type that is always bound as the same few parameters.
protocol ParameterGroup: SQLParameters {
  associatedtype Group: SQLParameters
  var parameters: Group { get }
}

extension ParameterGroup {
  static var types: [SQLType] { Group.types }
  func append(to buffer: inout ParameterBuffer) { parameters.append(to: &buffer) }
}

/// One parameter that holds many values.
extension Array: SQLParameters where Element: SQLValue {
  static var types: [SQLType] { [Element.arrayType] }

  func append(to buffer: inout ParameterBuffer) {
    if Element.self == Float.self, let numbers = self as? [Float] {
      return buffer.append(ArrayEncoder(numbers))
    }
    var array = ArrayEncoder(Element.arrayType, capacity: count)
    for element in self { array.append(element) }
    buffer.append(array)
  }
}

extension Optional: SQLParameters where Wrapped: SQLParameters {
  static var types: [SQLType] { Wrapped.types }

  func append(to buffer: inout ParameterBuffer) {
    switch self {
    case .some(let value): value.append(to: &buffer)
    case nil: for _ in Wrapped.types { buffer.appendNull() }
    }
  }
}

/// A vector as pgvector holds it, for a parameter that is used as `$1::vector` only.
///
/// An array that is cast to one takes twice the bytes, and each of its numbers is read by a call of a
/// function.
struct VectorParameter: SQLParameters {
  private let numbers: [Float]

  init(_ numbers: [Float]) { self.numbers = numbers }

  static var types: [SQLType] { [.unknown] }
  func append(to buffer: inout ParameterBuffer) { buffer.append(vector: numbers) }
}
