import bench.Bench.CheckRequest;
import bench.Bench.CheckResponse;
import bench.HealthGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import measure.Measure;

/** grpc-java. */
final class Theirs {
  public static void main(String[] arguments) throws Exception {
    Measure measure = new Measure(arguments);
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(measure.address)
            .sslContext(GrpcSslContexts.forClient().trustManager(new File(measure.caFile)).build())
            .build();
    Metadata metadata = new Metadata();
    metadata.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + measure.token);
    var health = HealthGrpc.newStub(channel).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
    measure.run(
        ended ->
            health.withDeadlineAfter(30, TimeUnit.SECONDS).check(
                CheckRequest.getDefaultInstance(), new Observer(ended)));
  }

  private record Observer(Consumer<Throwable> ended) implements StreamObserver<CheckResponse> {
    @Override
    public void onNext(CheckResponse response) {}

    @Override
    public void onError(Throwable failure) {
      ended.accept(failure);
    }

    @Override
    public void onCompleted() {
      ended.accept(null);
    }
  }
}
