// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: imports are internal unless a file says otherwise, and
/// existentials are spelled out.
let swift: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let pluginLibrary: Target.Dependency = .product(
  name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")

let package = Package(
  name: "hito",
  dependencies: [
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
  ],
  targets: [
    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .target(name: "Domain", swiftSettings: swift),
    .target(
      name: "PostgresStore", dependencies: ["Domain", "CLibPQ", logging, crypto],
      swiftSettings: swift),
    .testTarget(
      name: "PostgresStoreTests", dependencies: ["PostgresStore", "Domain"],
      swiftSettings: swift),
  ],
  cxxLanguageStandard: .cxx20
)
