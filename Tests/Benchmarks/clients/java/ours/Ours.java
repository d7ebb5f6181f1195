import hito.CallOptions;
import hito.Client;
import hito.v1.Server.HealthCheckRequest;
import java.nio.file.Path;
import java.time.Duration;
import measure.Measure;

/** Hito's client. */
final class Ours {
  public static void main(String[] arguments) throws Exception {
    Measure measure = new Measure(arguments);
    Client client = Client.builder(measure.address).caFile(Path.of(measure.caFile)).token(measure.token).connect();
    var health = client.health().async();
    CallOptions options = CallOptions.DEFAULT.withTimeout(Duration.ofSeconds(30));
    measure.run(
        ended -> health.check(HealthCheckRequest.getDefaultInstance(), options).whenComplete(
            (response, failure) -> ended.accept(failure)));
  }
}
