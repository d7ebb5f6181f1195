/// A file to write, relative to the output folder.
package struct GeneratedFile: Sendable, Hashable {
  package var path: String
  package var text: String
}
