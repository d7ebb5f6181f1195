/// Metrics in Prometheus' text format, version 0.0.4.
package enum PrometheusText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package static func of(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families where !family.points.isEmpty {
      text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind)\n"
      for point in family.points {
        switch point.value {
        case .number(let number): text += line(family.name, point.labels, number)
        case .latency(let latency):
          append(ExportedLatency(latency), family.name, point.labels, to: &text)
        }
      }
    }
    return text
  }

  private static func append(
    _ latency: ExportedLatency, _ name: String, _ labels: [MetricFamily.Label],
    to text: inout String
  ) {
    var seen: UInt64 = 0
    let bounds = ExportedLatency.bounds.map { "\($0)" } + ["+Inf"]
    for (count, bound) in zip(latency.counts, bounds) {
      seen += count
      text += line("\(name)_bucket", labels + [MetricFamily.Label("le", bound)], Double(seen))
    }
    text += line("\(name)_sum", labels, latency.sum)
    text += line("\(name)_count", labels, Double(latency.count))
  }

  private static func line(
    _ name: String, _ labels: [MetricFamily.Label], _ value: Double
  ) -> String {
    let list = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
    return name + (list.isEmpty ? "" : "{\(list.joined(separator: ","))}") + " \(shown(value))\n"
  }

  private static func shown(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
