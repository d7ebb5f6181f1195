// swift-tools-version: 6.2
import PackageDescription

// Depends on the repository as a program elsewhere would, so that it shows what the client alone is built with.
let package = Package(
  name: "hito-example",
  dependencies: [.package(name: "hito", path: "../../..")],
  targets: [
    .executableTarget(
      name: "hito-example", dependencies: [.product(name: "HitoClient", package: "hito")],
      path: "Sources")
  ])
