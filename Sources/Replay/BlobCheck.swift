import Digits
import Domain
import OpenSSL

/// Reads contents, and holds them to the hashes that they are named by.
enum BlobCheck {
  /// The contents that are there and are what they should be; an empty one where they are not the
  /// second: see `content`.
  static func contents(
    _ references: [BlobReference], of blobs: any EventBlobs
  ) async throws -> [BlobReference: String] {
    let wanted = Set(references).sorted()
    guard !wanted.isEmpty else { return [:] }
    var found: [BlobReference: String] = [:]
    for blob in try await blobs.blobs(wanted) { found[blob.reference] = blob.content }
    return found
  }

  /// Nil where it is not there.
  ///
  /// - Throws: `.damagedBlob` where what is there has another hash.
  static func content(
    _ reference: BlobReference, in found: [BlobReference: String], of origin: RebuildProblem
  ) throws(RebuildProblem) -> String? {
    guard let content = found[reference] else { return nil }
    guard SHA256.hash(content) == reference.hash else {
      throw problem(origin, .damagedBlob(hash: Digits.hexadecimal(reference.hash)))
    }
    return content
  }

  static func missing(_ reference: BlobReference, _ origin: RebuildProblem) -> RebuildProblem {
    problem(origin, .missingBlob(hash: Digits.hexadecimal(reference.hash)))
  }

  static func problem(
    _ origin: RebuildProblem, _ reason: RebuildProblem.Reason
  ) -> RebuildProblem {
    var problem = origin
    problem.reason = reason
    return problem
  }
}
