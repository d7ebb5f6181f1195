package hito;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;

/** What a client was told when it was made. */
record Settings(
    List<Address> addresses,
    SSLContext tls,
    String serverName,
    Hello own,
    TokenProvider tokenProvider,
    Duration tokenTimeout,
    long timeoutNanos,
    long keepaliveNanos,
    int connectionsMax,
    boolean roundRobin,
    boolean healthCheck,
    boolean waitForReady,
    Hedging hedging,
    RetryBudget retryBudget,
    List<Interceptor> interceptors,
    Supplier<String> traceparent,
    Executor executor,
    Log log) {}
