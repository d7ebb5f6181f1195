import Models

/// What is wrong with the endpoints of the models, and what servers have learned of them.
enum ModelChecks {
  /// - Parameter settings: with the groups of the models.
  static func endpoints(_ settings: Settings) -> [HealthReport.Finding] {
    let endpoints: [(subject: String, operation: String, endpoint: ProviderEndpoint)] = [
      ("model", "chat", ModelProviders.chatEndpoint(settings)),
      ("embedding", "embeddings", ModelProviders.embeddingEndpoint(settings)),
    ].compactMap { subject, operation, endpoint in endpoint.map { (subject, operation, $0) } }
    let file = settings.dataDirectory.map { "\($0)/\(EndpointHabitBook.fileName)" }
    var known = EndpointHabitBook(file: file).all
    var findings: [HealthReport.Finding] = []
    for (subject, operation, endpoint) in endpoints {
      let key = EndpointHabitBook.Key(
        url: endpoint.baseURL, model: endpoint.model, operation: operation)
      findings.append(
        finding(subject, endpoint, known.removeValue(forKey: key), file: file ?? ""))
    }
    // Of servers that are configured otherwise than this command.
    for (key, habits) in known.sorted(by: { $0.key.text < $1.key.text }) {
      findings.append(.ok(key.operation == "chat" ? "model" : "embedding", said(key, habits)))
    }
    return findings
  }

  private static func finding(
    _ subject: String, _ endpoint: ProviderEndpoint, _ habits: EndpointHabits?, file: String
  ) -> HealthReport.Finding {
    do {
      try endpoint.validate()
    } catch {
      return .fail(subject, "\(error)", "mend the setting; see docs/operations.md, Models")
    }
    guard let habits else {
      return .ok(subject, "\(endpoint.model): nothing special is known of its endpoint")
    }
    return HealthReport.Finding(
      subject, .ok, "\(endpoint.model): its endpoint \(habits.text), and is asked so",
      advice: "after a change of that server remove \(file), and start Hito again")
  }

  private static func said(_ key: EndpointHabitBook.Key, _ habits: EndpointHabits) -> String {
    "\(key.text) \(habits.text), and is asked so"
  }
}
