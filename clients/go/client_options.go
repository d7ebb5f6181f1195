package hito

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"hito.example/hito/internal/deflate"
	"hito.example/hito/internal/wire"
)

// WithCAFile trusts the authorities of a PEM file, and no others. Without it those of the system are trusted.
func WithCAFile(path string) Option {
	return func(s *settings) error {
		pem, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.roots = x509.NewCertPool()
		if !s.roots.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%s has no certificate", path)
		}
		return nil
	}
}

// WithClientCertificate shows a certificate to the server (mutual TLS).
func WithClientCertificate(certificateFile, keyFile string) Option {
	return func(s *settings) error {
		certificate, err := tls.LoadX509KeyPair(certificateFile, keyFile)
		s.certificates = append(s.certificates, certificate)
		return err
	}
}

// WithServerName is the name in the server's certificate, where it is not the host that is connected to.
func WithServerName(name string) Option {
	return func(s *settings) error { s.serverName = name; return nil }
}

// WithTLS takes a whole configuration. TLS 1.3 and the protocol's name are set in a copy of it.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error { s.givenTLS = config; return nil }
}

// WithToken authenticates every call that has no token of its own.
func WithToken(token string) Option {
	return func(s *settings) error {
		s.pool.own.Token = token
		if token == "" {
			return nil
		}
		return wire.CheckText("token", token, wire.TokenMax)
	}
}

// WithTokenProvider has a function asked for the token of calls instead: when the first needs one, shortly before it
// expires, and when a server refuses it, which repeats the call once (C5.8).
func WithTokenProvider(provider TokenProvider) Option {
	return func(s *settings) error { s.provider = provider; return nil }
}

// WithTokenTimeout is how long a token provider has to answer; 10 s unless it is set.
func WithTokenTimeout(timeout time.Duration) Option {
	return func(s *settings) error { s.tokenTimeout = timeout; return positive("token timeout", timeout) }
}

// WithTimeout is the time of unary calls, repeats included, that have no deadline; 30 s unless it is set.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) error { s.timeout = timeout; return positive("timeout", timeout) }
}

// WithWaitForReady has calls that do not say it themselves wait for a server, within their time, while none can be
// reached (C1.5). Otherwise they fail with UNAVAILABLE when none answers.
func WithWaitForReady() Option {
	return func(s *settings) error { s.waitsForSrv = true; return nil }
}

// WithBalancing spreads calls over several addresses.
func WithBalancing(balancing Balancing) Option {
	return func(s *settings) error { s.pool.isRoundRobin = balancing == RoundRobin; return nil }
}

// WithConnectionsPerAddress is how many connections there may be to one address, where the calls on one reach what the
// server allows; four unless it is set (C1.6).
func WithConnectionsPerAddress(most int) Option {
	return func(s *settings) error { s.pool.connectionsMax = most; return positive("connections", most) }
}

// WithHealthCheck asks servers how they are: one that says that it does not serve gets no new calls while others do
// (C1.8).
func WithHealthCheck() Option {
	return func(s *settings) error { s.pool.checksHealth = true; return nil }
}

// WithKeepalive is after how much silence a connection on which calls wait is asked for a sign of life, but no more
// often than the server wants to be; 10 s unless it is set (C4.1).
func WithKeepalive(silence time.Duration) Option {
	return func(s *settings) error { s.pool.keepalive = silence; return positive("keepalive", silence) }
}

// WithHedging makes unary calls of methods that read again beside the first where no response comes (C2.4).
func WithHedging(hedging Hedging) Option {
	return func(s *settings) error { s.hedging = &hedging; return nil }
}

// WithRetryBudget is how many repeats and copies the calls of the client have together: a burst, then so many a
// second; 100 and 200 unless it is set (C2.3).
func WithRetryBudget(burst int, perSecond float64) Option {
	return func(s *settings) error { s.burst, s.perSecond = burst, perSecond; return nil }
}

// WithMessageMax is the most bytes of a message that is accepted: 16 KiB at least, 4 MiB unless it is set (C5.4).
func WithMessageMax(bytes int) Option {
	return func(s *settings) error {
		if bytes < wire.MessageMaxMin || bytes > 1<<31-1 {
			return fmt.Errorf("a maximum of %d bytes: %d to 2 GiB", bytes, wire.MessageMaxMin)
		}
		s.pool.own.MessageMax = uint32(bytes)
		return nil
	}
}

// WithCompression sends and takes messages of 4 KiB and more compressed, where the server reads that: it costs both
// sides processor time, and pays where the network is slow (C5.6).
func WithCompression() Option {
	return func(s *settings) error { s.pool.own.Encodings = []byte{deflate.Encoding}; return nil }
}

// WithInterceptors runs something around every call; the first is the outermost (C5.5).
func WithInterceptors(interceptors ...Interceptor) Option {
	return func(s *settings) error { s.interceptors = append(s.interceptors, interceptors...); return nil }
}

// WithLog tells a function what happens to the client: connections that come, fail and go, and calls that begin, are
// repeated and end (C5.9). [LogTo] makes one of a logger.
func WithLog(log LogFunc) Option {
	return func(s *settings) error { s.log = log; return nil }
}

// WithTraceContext takes the W3C traceparent of each call from its context.
func WithTraceContext(traceparent func(context.Context) string) Option {
	return func(s *settings) error { s.traceContext = traceparent; return nil }
}

// WithAgent is what servers log of the program; the name and version of this library unless it is set.
func WithAgent(agent string) Option {
	return func(s *settings) error {
		s.pool.own.Agent = agent
		return wire.CheckText("agent", agent, 128)
	}
}

func positive[Number int | time.Duration](what string, value Number) error {
	if value <= 0 {
		return fmt.Errorf("%s: more than nothing, not %v", what, value)
	}
	return nil
}
