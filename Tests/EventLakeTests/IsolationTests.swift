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
    let strangers = isolation.origins.filter { !$0.value.contains("libcrypto") }
    #expect(strangers.isEmpty)
    #expect(isolation.isIsolated)
  }
}
