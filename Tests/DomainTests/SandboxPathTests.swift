import Domain
import Testing

@Suite struct SandboxPathTests {
  @Test(arguments: ["main.c", "src/main.c", "a b/ñ.py", "...", "..a/.b", "a\\b"])
  func `A plain relative path is taken as it is`(text: String) throws {
    #expect(try SandboxPath(text).text == text)
  }

  @Test(arguments: [
    ("", SandboxPath.Fault.empty), ("/etc/passwd", .absolute), ("..", .notPlain),
    ("a/../b", .notPlain), ("a//b", .notPlain), ("a/", .notPlain), ("./a", .notPlain),
    ("a/.", .notPlain), ("a\0b", .controlCharacter), ("a\nb", .controlCharacter),
    // A combining sign after the slash makes one character of both.
    ("a/\u{301}/../b", .notPlain),
  ])
  func `A path that could lead elsewhere is refused`(text: String, fault: SandboxPath.Fault) {
    #expect(throws: fault) { try SandboxPath(text) }
  }

  @Test func `Length and depth are bounded`() throws {
    let name = String(repeating: "n", count: SandboxPath.nameByteCountMax)
    #expect(try SandboxPath(name).text == name)
    #expect(throws: SandboxPath.Fault.tooLong) { try SandboxPath(name + "n") }
    let deep = Array(repeating: "d", count: SandboxPath.depthMax).joined(separator: "/")
    #expect(try SandboxPath(deep).text == deep)
    #expect(throws: SandboxPath.Fault.tooLong) { try SandboxPath(deep + "/d") }
  }
}
