package hito

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"hito.example/hito/internal/deflate"
	"hito.example/hito/internal/pacing"
	"hito.example/hito/internal/wire"
)

const unaryTimeout = 30 * time.Second

// Client makes calls to the servers of one deployment. It keeps connections open and shares them between calls; one
// client per program is enough, and any number of goroutines may use it. [Client.Close] ends it.
type Client struct {
	pool     *pool
	settings settings

	mu    sync.Mutex
	pacer *pacing.Pacer
}

// settings are what the options of a client set.
type settings struct {
	pool         poolSettings
	timeout      time.Duration
	waitsForSrv  bool
	tokenSource  func(context.Context) (string, error)
	traceContext func(context.Context) string
	hedging      *Hedging
	burst        int
	perSecond    float64
	interceptors []Interceptor
	roots        *x509.CertPool
	certificates []tls.Certificate
	serverName   string
	givenTLS     *tls.Config
}

// Option sets something of a client.
type Option func(*settings) error

// Balancing is how calls are spread over several addresses.
type Balancing int

const (
	// PickFirst sends calls to the first server that answers, for as long as it does (C1.2).
	PickFirst Balancing = iota
	// RoundRobin sends calls to all servers in turn (C1.3).
	RoundRobin
)

// New makes a client of the servers at `host:port`, or several with commas between. It connects with its first call.
func New(addresses string, options ...Option) (*Client, error) {
	parsed, err := parseAddresses(addresses)
	if err != nil {
		return nil, err
	}
	own := wire.DefaultHello()
	own.Minor = wire.MinorVersion
	own.Agent = "hito-go/" + Version
	s := settings{
		pool: poolSettings{
			own: own, keepalive: 10 * time.Second, connectionsMax: 4, log: discarded(),
		},
		timeout: unaryTimeout, burst: 100, perSecond: 200,
	}
	for _, option := range options {
		if err := option(&s); err != nil {
			return nil, fmt.Errorf("hito: %w", err)
		}
	}
	if s.pool.tls, err = s.tlsConfig(); err != nil {
		return nil, fmt.Errorf("hito: %w", err)
	}
	return &Client{
		pool: newPool(parsed, s.pool), settings: s, pacer: pacing.NewPacer(s.burst, s.perSecond),
	}, nil
}

// Connect is [New], and opens the first connection, so that mistakes show at once: it fails with UNAVAILABLE where no
// server answers within the context, and 10 s.
func Connect(ctx context.Context, addresses string, options ...Option) (*Client, error) {
	client, err := New(addresses, options...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	connection, err := client.pool.connection(ctx, client.settings.waitsForSrv)
	if err != nil {
		client.Close()
		return nil, client.ended(ctx, err, true)
	}
	client.pool.release(connection)
	return client, nil
}

// Close cancels the calls under way, closes the connections, and returns when all is gone. Calls of a closed client
// fail with CANCELLED.
func (c *Client) Close() { c.pool.close() }

// ended is the error of a call that ends now, of which an attempt before may have been started; where it waited for a
// server it says why there is none.
func (c *Client) ended(ctx context.Context, err error, isNotStarted bool) *Error {
	failure := asError(err, isNotStarted)
	if failure.NotStarted && !isNotStarted {
		// That is of the last attempt alone.
		copied := *failure
		copied.NotStarted = false
		failure = &copied
	}
	if failure.Code == DeadlineExceeded && !failure.FromServer && ctx.Err() != nil {
		if last := c.pool.lastFailure(); last != nil && isNotStarted {
			failure.Message += " (last failure: " + last.Message + ")"
		}
	}
	return failure
}

// rest waits before a stream is taken up again: within the bound for the repeats of all calls, and no longer than the
// client is open.
func (c *Client) rest(ctx context.Context, delay time.Duration) error {
	return c.pool.rest(ctx, delay+c.pace())
}

// pace books a repeat in the budget of all calls (C2.3).
func (c *Client) pace() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pacer.Delay(time.Now())
}

func (c *Client) takeNow() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pacer.TakeNow(time.Now())
}

func (c *Client) waits(options *CallOptions) bool {
	if options.WaitForReady != nil {
		return *options.WaitForReady
	}
	return c.settings.waitsForSrv
}

// token is the one to say in CALL; empty where HELLO's is meant.
func (c *Client) token(ctx context.Context, options *CallOptions) (string, *Error) {
	if options.Token != "" || c.settings.tokenSource == nil {
		return options.Token, nil
	}
	token, err := c.settings.tokenSource(ctx)
	if err == nil {
		err = wire.CheckText("token", token, wire.TokenMax)
	}
	if ctx.Err() != nil {
		return "", asError(ctx.Err(), true)
	}
	if err != nil {
		return "", notStarted(Unauthenticated, "no token: %v", err).because(err)
	}
	return token, nil
}

func (s *settings) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{}
	if s.givenTLS != nil {
		if s.roots != nil || len(s.certificates) > 0 || s.serverName != "" {
			return nil, errors.New("give a TLS configuration, or its parts, not both")
		}
		config = s.givenTLS
	} else {
		config.RootCAs, config.Certificates, config.ServerName = s.roots, s.certificates, s.serverName
	}
	return checkTLS(config)
}

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

// WithTokenSource asks for the token of each attempt to call, so that one can be replaced before it expires. The
// source is called by several goroutines, should keep what it has for as long as that is good, and is cancelled with
// the call.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	return func(s *settings) error { s.tokenSource = source; return nil }
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

// WithLogger logs connections that come, fail and go, and calls that are repeated. Tokens are never logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		if logger != nil {
			s.pool.log = logger
		}
		return nil
	}
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

// discarded logs nothing. (slog's own way is of Go 1.24.)
func discarded() *slog.Logger {
	return slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.Level(math.MaxInt)}))
}

func positive[Number int | time.Duration](what string, value Number) error {
	if value <= 0 {
		return fmt.Errorf("%s: more than nothing, not %v", what, value)
	}
	return nil
}
