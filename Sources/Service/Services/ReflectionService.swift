internal import Contract
internal import OpenSSL
internal import RPC

/// Open to everybody, also to those without a token: the contract is no secret.
struct ReflectionService: ReflectionServiceHandler {
  private let descriptorSet: GetDescriptorSetResponse
  private let methods: ListMethodsResponse

  init(descriptorSet: [UInt8]) {
    self.descriptorSet = GetDescriptorSetResponse(
      descriptorSet: descriptorSet, hash: SHA256.hash(descriptorSet))
    methods = ListMethodsResponse(
      methods: ContractMethods.all.map { method in
        MethodInfo(
          path: method.path, implemented: method.rule?.isImplemented ?? false,
          readOnly: method.isReadOnly, kind: method.kind.shownName)
      })
  }

  func getDescriptorSet(
    _ request: GetDescriptorSetRequest, _ context: CallContext
  ) async throws -> GetDescriptorSetResponse { descriptorSet }

  func listMethods(
    _ request: ListMethodsRequest, _ context: CallContext
  ) async throws -> ListMethodsResponse { methods }
}
