import Models
import PostgresStore

// What several commands look for, by their settings.
extension Settings {
  /// Throws where a user without a home names none.
  func requireDataDirectory() throws(SettingsError) -> String {
    guard let dataDirectory else {
      throw SettingsError(problems: ["there is no data directory: give --data-dir or HITO_DATA_DIR"]
      )
    }
    return dataDirectory
  }

  /// The number of the group that may read what the server keeps; nil: none may.
  var readingGroupID: UInt32? {
    self[PlaceSettings().readingGroup].flatMap { DataDirectory.groupNumber(named: $0) }
  }

  /// Where the embedded PostgreSQL is looked for, in order.
  var postgresCandidates: [String] {
    PostgresPrograms.candidates(named: self[DatabaseSettings().postgres], home: home)
  }

  /// How the embedded cluster of a data directory is run.
  func clusterConfiguration(
    _ directory: String
  ) throws(EmbeddedClusterError) -> EmbeddedCluster.Configuration {
    var configuration = EmbeddedCluster.Configuration(
      dataDirectory: directory, programCandidates: postgresCandidates)
    configuration.readingGroup = readingGroupID
    if let archive = self[DatabaseSettings().walArchive] {
      try ClusterCopy.makeArchive(archive)
      configuration.archiveLog(into: archive)
    }
    return configuration
  }

  /// Where the embedded encoder is looked for, in order.
  var embedderCandidates: [String] {
    UniversalSentenceEncoder.candidates(named: self[EmbeddingSettings().embedder], home: home)
  }
}
