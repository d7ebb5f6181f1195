package hito;

import hito.v1.AnalyticsServiceClient;
import hito.v1.CourseServiceClient;
import hito.v1.GoalServiceClient;
import hito.v1.HealthServiceClient;
import hito.v1.PrivacyServiceClient;
import hito.v1.ReflectionServiceClient;
import hito.v1.RetrievalServiceClient;
import hito.v1.ServerServiceClient;
import hito.v1.TaskServiceClient;
import hito.v1.UserServiceClient;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * A client of one Hito deployment: connections to its servers, and one typed client per service.
 *
 * <pre>{@code
 * try (Client client = Client.builder("127.0.0.1:7443").caFile(ca).token(token).connect()) {
 *   client.goals().createGoal(CreateGoalRequest.newBuilder().setTitle("Aprender Java").build());
 * }
 * }</pre>
 *
 * <p>For any number of threads; it keeps connections open and shares them between calls, so that
 * one client per program is enough. {@link #close} ends it.
 */
public final class Client implements AutoCloseable {
  /** Of this library. */
  public static final String VERSION = "0.1.0";

  private final Channel channel;

  Client(Channel channel) {
    this.channel = channel;
  }

  /** A client to be of the servers at these addresses, {@code host:port}, or any of several. */
  public static ClientBuilder builder(String... addresses) {
    return new ClientBuilder(addresses);
  }

  /** What generated clients of other contracts go through. */
  public Channel channel() {
    return channel;
  }

  /** Users and tokens. */
  public UserServiceClient users() {
    return new UserServiceClient(channel);
  }

  /** Courses and their documents. */
  public CourseServiceClient courses() {
    return new CourseServiceClient(channel);
  }

  /** Goals. */
  public GoalServiceClient goals() {
    return new GoalServiceClient(channel);
  }

  /** Tasks of goals. */
  public TaskServiceClient tasks() {
    return new TaskServiceClient(channel);
  }

  /** Live progress. */
  public ProgressClient progress() {
    return new ProgressClient(channel);
  }

  /** The event log and consumer groups. */
  public EventClient events() {
    return new EventClient(channel);
  }

  /** Reports. */
  public AnalyticsServiceClient analytics() {
    return new AnalyticsServiceClient(channel);
  }

  /** Learners' code. */
  public CodeValidationClient codeValidation() {
    return new CodeValidationClient(channel);
  }

  /** Search in documents. */
  public RetrievalServiceClient retrieval() {
    return new RetrievalServiceClient(channel);
  }

  /** How the server is. */
  public HealthServiceClient health() {
    return new HealthServiceClient(channel);
  }

  /** The contract itself. */
  public ReflectionServiceClient reflection() {
    return new ReflectionServiceClient(channel);
  }

  /** The server, for those who run it. */
  public ServerServiceClient server() {
    return new ServerServiceClient(channel);
  }

  /** What is kept of a user. */
  public PrivacyServiceClient privacy() {
    return new PrivacyServiceClient(channel);
  }

  /** Ends the calls under way and the connections; returns when they are gone. */
  @Override
  public void close() {
    CompletableFuture<Void> closed = channel.close();
    if (!channel.loop().isCurrent()) {
      Blocking.join(channel.loop(), closed, () -> {});
    }
  }

  CompletableFuture<Void> connected(Duration timeout, boolean waits) {
    return channel.connect(timeout, waits);
  }
}
