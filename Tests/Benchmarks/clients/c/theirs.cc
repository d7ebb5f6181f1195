// theirs ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT: gRPC's client for C++, with a queue of one thread.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "bench.grpc.pb.h"
#include "measure.h"

namespace {

struct Call {
  grpc::ClientContext context;
  bench::CheckResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<bench::CheckResponse>> reader;
};

void Begin(bench::Health::Stub& stub, grpc::CompletionQueue& queue, const std::string& authorization) {
  auto* call = new Call;
  call->context.AddMetadata("authorization", authorization);
  call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  call->reader = stub.AsyncCheck(&call->context, bench::CheckRequest(), &queue);
  call->reader->Finish(&call->response, &call->status, call);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) return 64;
  char token[4096];
  read_line(arguments[3], token, sizeof token);
  std::string authorization = std::string("Bearer ") + token;
  std::ifstream file(arguments[2]);
  std::stringstream roots;
  roots << file.rdbuf();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = roots.str();
  auto stub = bench::Health::NewStub(grpc::CreateChannel(arguments[1], grpc::SslCredentials(options)));
  grpc::CompletionQueue queue;
  for (int call = 0; call < std::stoi(arguments[5]); call++) Begin(*stub, queue, authorization);
  auto measure = measure_begin(std::stod(arguments[4]));
  void* tag;
  bool is_ok;
  while (!measure_is_over(&measure) && queue.Next(&tag, &is_ok)) {
    std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!call->status.ok()) {
      std::cerr << call->status.error_message() << "\n";
      return 1;
    }
    measure.calls++;
    Begin(*stub, queue, authorization);
  }
  std::cout.flush();
  fflush(stdout);
  _exit(0);
}
