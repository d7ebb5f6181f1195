package import ArgumentParser
import Foundation

/// What every benchmark can be told.
package struct ServerOptions: ParsableArguments {
  @Option(help: "The server to measure. Default: HITO_BIN, else .build/release/hito.")
  package var server: String?

  package init() {}

  package var program: String {
    server ?? ProcessInfo.processInfo.environment["HITO_BIN"] ?? ".build/release/hito"
  }
}
