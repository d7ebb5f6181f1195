// swift-tools-version: 6.2
import PackageDescription

/// The benchmarks: a package of their own, so that they see of Hito only what every client sees.
/// `make bench-rpc`, `bench-store`, `bench-lake` and `bench-retrieval` build and run them.
let swift: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

let client: Target.Dependency = .product(name: "HitoClient", package: "hito")
let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "hito-benchmarks",
  products: [
    .executable(name: "rpc", targets: ["RPCBench"]),
    .executable(name: "store", targets: ["StoreBench"]),
    .executable(name: "lake", targets: ["LakeBench"]),
    .executable(name: "retrieval", targets: ["RetrievalBench"]),
  ],
  dependencies: [
    .package(name: "hito", path: "../.."),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
  ],
  targets: [
    .target(
      name: "BenchmarkSupport", dependencies: [client, argumentParser], swiftSettings: swift),
    .executableTarget(
      name: "RPCBench", dependencies: ["BenchmarkSupport", client, argumentParser],
      swiftSettings: swift),
    .executableTarget(
      name: "StoreBench", dependencies: ["BenchmarkSupport", client, argumentParser],
      swiftSettings: swift),
    .executableTarget(
      name: "RetrievalBench", dependencies: ["BenchmarkSupport", client, argumentParser],
      swiftSettings: swift),
    .executableTarget(
      name: "LakeBench", dependencies: ["BenchmarkSupport", client, argumentParser],
      swiftSettings: swift),
  ]
)
