package hito

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"hito.example/hito/internal/pacing"
	"hito.example/hito/internal/wire"
)

const unaryTimeout = 30 * time.Second

// Client makes calls to the servers of one deployment. It keeps connections open and shares them between calls; one
// client per program is enough, and any number of goroutines may use it. [Client.Close] ends it.
type Client struct {
	pool     *pool
	tokens   *tokens // nil where there is no provider
	settings settings

	mu    sync.Mutex
	pacer *pacing.Pacer
}

// settings are what the options of a client set.
type settings struct {
	pool         poolSettings
	timeout      time.Duration
	waitsForSrv  bool
	provider     TokenProvider
	tokenTimeout time.Duration
	log          LogFunc
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
			own: own, keepalive: 10 * time.Second, connectionsMax: 4,
		},
		timeout: unaryTimeout, tokenTimeout: tokenTimeout, burst: 100, perSecond: 200,
	}
	for _, option := range options {
		if err := option(&s); err != nil {
			return nil, fmt.Errorf("hito: %w", err)
		}
	}
	if s.provider != nil && s.pool.own.Token != "" {
		return nil, fmt.Errorf("hito: %w", notStarted(InvalidArgument, "give a token or a token provider, not both"))
	}
	if s.pool.tls, err = s.tlsConfig(); err != nil {
		return nil, fmt.Errorf("hito: %w", err)
	}
	s.pool.log = newClientLog(s.log)
	client := &Client{
		pool: newPool(parsed, s.pool), settings: s, pacer: pacing.NewPacer(s.burst, s.perSecond),
	}
	if s.provider != nil {
		client.tokens = newTokens(s.provider, s.tokenTimeout, s.pool.log)
	}
	return client, nil
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
func (c *Client) Close() {
	c.tokens.close()
	c.pool.close()
}

// ended is the error of a call that ends now, of which an attempt before may have been started; where it waited for a
// server it says why there is none.
func (c *Client) ended(ctx context.Context, err error, isNotStarted bool) *Error {
	failure := asError(err, isNotStarted)
	if failure.NotStarted && !isNotStarted {
		// That is of the last attempt alone.
		failure = failure.perhapsStarted()
	}
	if failure.Code == DeadlineExceeded && !failure.FromServer && ctx.Err() != nil {
		if last := c.pool.lastFailure(); last != nil && isNotStarted {
			failure.Message += " (last failure: " + last.Message + ")"
		}
	}
	return failure
}

// rest waits before a stream that failed is taken up again: within the bound for the repeats of all calls, and no longer
// than the client is open.
func (c *Client) rest(ctx context.Context, method Method, failure *Error, delay time.Duration) error {
	delay += c.pace()
	c.settings.pool.log.watchResumed(method, failure, delay)
	return c.pool.rest(ctx, delay)
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
