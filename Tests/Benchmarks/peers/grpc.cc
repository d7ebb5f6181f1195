// grpc callback|async PORT CERTIFICATE KEY MESSAGES
//
// The same calls as those of hito.v1.HealthService, by gRPC for C++ in its two ways, on one thread of its own: TLS, the
// caller's token looked at, the deadline kept by the library.
#include <grpcpp/grpcpp.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include "bench.grpc.pb.h"

namespace {

std::string ContentsOf(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool IsKnown(const grpc::ServerContextBase& context) {
  const auto& metadata = context.client_metadata();
  auto token = metadata.find("authorization");
  return token != metadata.end() && token->second.starts_with("Bearer ");
}

int message_count;

// Messages may wait in the library until there are more of them: but the last, and the first, which would wait for the
// head of its response, which waits for the first message.
grpc::WriteOptions Hint(int number) {
  grpc::WriteOptions options;
  if (number > 1 && number < message_count) options.set_buffer_hint();
  return options;
}

bench::CheckResponse SmallMessage() {
  bench::CheckResponse message;
  message.set_status(1);
  message.set_message("what a small message says");
  return message;
}

class Stream final : public grpc::ServerWriteReactor<bench::CheckResponse> {
 public:
  Stream() { Next(); }

  void OnWriteDone(bool is_ok) override {
    if (!is_ok) return Finish(grpc::Status(grpc::StatusCode::UNKNOWN, "a write failed"));
    Next();
  }

  void OnDone() override { delete this; }

 private:
  void Next() {
    if (number_ == message_count) return Finish(grpc::Status::OK);
    message_ = SmallMessage();
    StartWrite(&message_, Hint(++number_));
  }

  bench::CheckResponse message_;
  int number_ = 0;
};

class Callback final : public bench::Health::CallbackService {
  grpc::ServerUnaryReactor* Check(
      grpc::CallbackServerContext* context, const bench::CheckRequest*,
      bench::CheckResponse* response) override {
    auto* reactor = context->DefaultReactor();
    response->set_status(1);
    reactor->Finish(
        IsKnown(*context) ? grpc::Status::OK
                          : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "no token"));
    return reactor;
  }

  grpc::ServerWriteReactor<bench::CheckResponse>* Watch(
      grpc::CallbackServerContext*, const bench::CheckRequest*) override {
    return new Stream;
  }
};

// One call, from being waited for to its end.
class Tag {
 public:
  virtual ~Tag() = default;
  virtual void Proceed(bool is_ok) = 0;
};

class Call final : public Tag {
 public:
  Call(bench::Health::AsyncService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), writer_(&context_) {
    service_->RequestCheck(&context_, &request_, &writer_, queue_, queue_, this);
  }

  void Proceed(bool is_ok) override {
    if (is_finished_ || !is_ok) {
      delete this;
      return;
    }
    new Call(service_, queue_);
    is_finished_ = true;
    response_.set_status(1);
    writer_.Finish(
        response_,
        IsKnown(context_) ? grpc::Status::OK
                          : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "no token"),
        this);
  }

 private:
  bench::Health::AsyncService* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::ServerContext context_;
  bench::CheckRequest request_;
  bench::CheckResponse response_;
  grpc::ServerAsyncResponseWriter<bench::CheckResponse> writer_;
  bool is_finished_ = false;
};

class WatchCall final : public Tag {
 public:
  WatchCall(bench::Health::AsyncService* service, grpc::ServerCompletionQueue* queue)
      : service_(service), queue_(queue), writer_(&context_) {
    service_->RequestWatch(&context_, &request_, &writer_, queue_, queue_, this);
  }

  void Proceed(bool is_ok) override {
    if (is_finished_ || !is_ok) {
      delete this;
      return;
    }
    if (number_ == 0) new WatchCall(service_, queue_);
    if (number_ == message_count) {
      is_finished_ = true;
      writer_.Finish(grpc::Status::OK, this);
      return;
    }
    writer_.Write(SmallMessage(), Hint(++number_), this);
  }

 private:
  bench::Health::AsyncService* service_;
  grpc::ServerCompletionQueue* queue_;
  grpc::ServerContext context_;
  bench::CheckRequest request_;
  grpc::ServerAsyncWriter<bench::CheckResponse> writer_;
  int number_ = 0;
  bool is_finished_ = false;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::cerr << "grpc callback|async PORT CERTIFICATE KEY MESSAGES\n";
    return 64;
  }
  message_count = std::stoi(arguments[5]);
  grpc::SslServerCredentialsOptions credentials;
  credentials.pem_key_cert_pairs.push_back({ContentsOf(arguments[4]), ContentsOf(arguments[3])});
  grpc::ServerBuilder builder;
  builder.AddListeningPort(
      "127.0.0.1:" + std::string(arguments[2]), grpc::SslServerCredentials(credentials));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 10000);
  if (std::string(arguments[1]) == "callback") {
    Callback service;
    builder.RegisterService(&service);
    auto server = builder.BuildAndStart();
    if (!server) return 1;
    server->Wait();
    return 0;
  }
  bench::Health::AsyncService service;
  builder.RegisterService(&service);
  auto queue = builder.AddCompletionQueue();
  auto server = builder.BuildAndStart();
  if (!server) return 1;
  for (int waiting = 0; waiting < 128; waiting++) new Call(&service, queue.get());
  new WatchCall(&service, queue.get());
  void* tag;
  bool is_ok;
  while (queue->Next(&tag, &is_ok)) static_cast<Tag*>(tag)->Proceed(is_ok);
  return 0;
}
