import Documents
import Domain
import Glibc
import Retrieval

/// One document of a folder.
struct DocumentFile: Sendable {
  static let byteCountMax = DocumentLimits.contentByteCount

  /// Inside the folder, with `/` between its parts.
  let path: String
  /// Where the system has it; need not be UTF-8.
  let place: [UInt8]

  /// The document's text in UTF-8, with what it was in.
  func read() throws(DocumentFolder.Refusal) -> TextDecoding.Text {
    let bytes = try content()
    let text: TextDecoding.Text
    do throws(TextDecoding.Failure) {
      text = try TextDecoding.utf8(bytes, as: DocumentFormat(path: path))
    } catch {
      throw refusal(error.reason)
    }
    guard text.bytes.count <= Self.byteCountMax else { throw refusal("is longer than 2 MiB") }
    return text
  }

  /// The same, and takes it apart as a server would.
  func check() throws(DocumentFolder.Refusal) -> TextDecoding.Text {
    let text = try read()
    do throws(DomainError) {
      try CourseDocument.checkPath(path, field: "path")
    } catch {
      guard case .invalid(let violations) = error else { throw refusal("its path is none") }
      throw refusal(violations.map { "its path \($0.description)" }.joined(separator: "; "))
    }
    let chunkCount: Int
    do throws(DocumentError) {
      let read = try StandardDocumentReader().read(text.bytes, as: DocumentFormat(path: path))
      chunkCount = Chunker().chunks(of: read.sections).count
    } catch {
      switch error {
      case .notUTF8: throw refusal("is not UTF-8")
      case .containsNUL: throw refusal("contains a NUL character")
      case .tooComplex(let why): throw refusal("is no document that can be read: \(why)")
      }
    }
    guard chunkCount <= DocumentLimits.chunkCount else {
      throw refusal("has more than \(DocumentLimits.chunkCount) parts")
    }
    return text
  }

  private func refusal(_ reason: String) -> DocumentFolder.Refusal {
    DocumentFolder.Refusal(path: path, reason: reason)
  }

  private func content() throws(DocumentFolder.Refusal) -> [UInt8] {
    // What became a pipe meanwhile must not stop the command.
    let file = DocumentFolder.withName(place) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard file >= 0 else { throw refusal(String(cString: strerror(errno))) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw refusal("is no file")
    }
    guard status.st_size <= Self.byteCountMax * 4 else { throw refusal("is longer than 2 MiB") }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 64 << 10)
    // A text of UTF-32 takes four times its UTF-8 at most.
    while bytes.count <= Self.byteCountMax * 4 {
      let count = part.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw refusal(String(cString: strerror(errno))) }
      if count == 0 { return bytes }
      bytes += part[..<count]
    }
    throw refusal("is longer than 2 MiB")
  }
}
