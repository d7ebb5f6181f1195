/// The operations on files that the lake is made of; each is one step that a crash may follow.
///
/// All of them block. What they leave when they fail is stated; the lake's recovery needs no more.
package protocol LakeStorage: Sendable {
  /// The same, but what it makes is not for the group that reads the lake.
  var withoutReaders: any LakeStorage { get }
  /// Takes from others what they may read of a lake that is there. The lake's folder comes last, so
  /// that a crash in between is made good by the next call.
  func restrict(_ layout: LakeLayout) throws(LakeError)
  /// Makes the folder and its parents and makes them durable; an existing one is fine.
  func makeFolder(_ path: String) throws(LakeError)
  /// Creates or replaces a file and makes its bytes durable. On failure a part may be there.
  func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws(LakeError)
  /// Writes at `offset`, cutting what lay after it, and makes it durable. On failure a part may be
  /// there, and may or may not survive a crash.
  func append(_ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64) throws(LakeError)
  /// Renames within the lake, replacing an existing file.
  func rename(_ path: String, to newPath: String) throws(LakeError)
  /// Removes a file; one that is not there is fine.
  func remove(_ path: String) throws(LakeError)
  /// Removes a folder and the files in it; one that is not there is fine.
  func removeFolder(_ path: String) throws(LakeError)
  /// Gives a file a second name.
  func link(_ path: String, to newPath: String) throws(LakeError)
  /// Lets two folders change places in one step.
  func exchange(_ path: String, with other: String) throws(LakeError)
  /// Makes the names in a folder durable.
  func syncFolder(_ path: String) throws(LakeError)
  /// The entries of a folder, sorted; nil where there is no such folder.
  func list(_ path: String) throws(LakeError) -> [FolderEntry]?
  /// The bytes of a file; nil where there is none.
  func read(_ path: String, byteCountMax: Int) throws(LakeError) -> [UInt8]?
  /// Size and CRC-32C of a file; nil where there is none. `checksum` is 0 unless asked for.
  func inspect(_ path: String, checksum: Bool) throws(LakeError) -> FileFacts?
}

extension LakeStorage {
  package var withoutReaders: any LakeStorage { self }
}

package struct FolderEntry: Sendable, Hashable {
  package var name: String
  package var isFolder: Bool
}

package struct FileFacts: Sendable, Hashable {
  package var byteCount: Int64
  package var checksum: UInt32
}
