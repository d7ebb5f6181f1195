import EventLake
import Testing

@Suite("The wheel's OpenSSL stays out of the way")
struct IsolationTests {
  @Test("no function of OpenSSL in this process comes from libparquet")
  func isolated() {
    let isolation = LibraryIsolation.inspect()
    #expect(isolation.parquetPath.contains("libparquet"))
    #expect(!isolation.arrowVersion.isEmpty)
    #expect(
      isolation.exposed.isEmpty,
      "\(isolation.parquetPath) shows \(isolation.exposed): run `make setup` again")
    for (symbol, path) in isolation.origins {
      #expect(path.contains("libcrypto"), "\(symbol) comes from \(path)")
    }
    #expect(isolation.isIsolated)
  }
}
