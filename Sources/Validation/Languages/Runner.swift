/// The programs of the folder Runners, which run inside the sandbox. They are built in, so that nothing on
/// a disk can take their place.
enum Runner {
  static let steps = text(guardHead, PackageResources.children_py, PackageResources.steps_py)
  static let cases = text(guardHead, PackageResources.children_py, PackageResources.cases_py)
  static let lines = text(guardHead, PackageResources.judge_py, PackageResources.lines_py)
  static let suite = text(
    guardHead, PackageResources.turned_py, PackageResources.turned_tools_py,
    PackageResources.judge_py, PackageResources.suite_py, PackageResources.suite_files_py,
    PackageResources.suite_child_py)
  static let node = text(
    guardHead, PackageResources.children_py, PackageResources.judge_py, PackageResources.node_py)
  static let nodeSyntax = text(PackageResources.node_syntax_cjs)
  static let typescriptBuild = text(PackageResources.ts_build_cjs)
  static let nodeTurn = text(PackageResources.node_turn_cjs)
  static let nodePreload = text(
    PackageResources.node_turned_mjs, PackageResources.node_preload_mjs)
  static let nodeReporter = text(PackageResources.node_reporter_mjs)
  static let nodeJest = text(PackageResources.node_jest_mjs)

  private static let guardHead = PackageResources.guard_py

  private static func text(_ parts: [UInt8]...) -> String {
    parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
  }
}
