package hito

import (
	"context"
	"crypto/tls"
	"errors"
	"time"
)

const (
	alpn           = "hito/1"
	connectTimeout = 10 * time.Second
)

// dialFailure is why there is no connection, and whether it was the certificate, which will not be trusted later either.
type dialFailure struct {
	*Error
	isUntrusted bool
}

// dial connects, checks the certificate and the protocol, and exchanges HELLO.
func (p *pool) dial(ctx context.Context, to address) (*connection, *dialFailure) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	socket, err := dialTLS(ctx, to, p.settings.tls)
	if err != nil {
		var refused *tls.CertificateVerificationError
		isUntrusted := errors.As(err, &refused)
		return nil, &dialFailure{cannotConnect(ctx, to, err), isUntrusted}
	}
	c := startConnection(socket, p.settings.own, p.settings.keepalive, p)
	select {
	case <-c.hello:
	case <-ctx.Done():
		c.abort()
		<-c.lost
		return nil, &dialFailure{cannotConnect(ctx, to, ctx.Err()), false}
	}
	c.mu.Lock()
	failure := c.failure
	c.mu.Unlock()
	if failure != nil {
		// It says goodbye by itself where it has something to say; that ends within closeTimeout.
		p.ending.Add(1)
		go func() {
			defer p.ending.Done()
			<-c.lost
		}()
		return nil, &dialFailure{cannotConnect(ctx, to, failure), false}
	}
	return c, nil
}

func dialTLS(ctx context.Context, to address, config *tls.Config) (*tls.Conn, error) {
	tcp, err := dialTCP(ctx, to)
	if err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = to.host
	}
	socket := tls.Client(tcp, config)
	if err := socket.HandshakeContext(ctx); err != nil {
		_ = tcp.Close()
		return nil, err
	}
	if socket.ConnectionState().NegotiatedProtocol != alpn {
		_ = tcp.Close()
		return nil, errors.New("the peer does not speak " + alpn)
	}
	return socket, nil
}

func cannotConnect(ctx context.Context, to address, err error) *Error {
	text := err.Error()
	var failure *Error
	if errors.As(err, &failure) {
		text = failure.Message
	}
	if ctx.Err() != nil {
		text = "no answer in time"
	}
	return notStarted(Unavailable, "cannot connect to %s: %s", to, text)
}

// checkTLS is the client's configuration of TLS, from what a program gave.
func checkTLS(given *tls.Config) (*tls.Config, error) {
	config := given.Clone()
	config.MinVersion = tls.VersionTLS13
	config.NextProtos = []string{alpn}
	if config.InsecureSkipVerify && config.VerifyConnection == nil {
		return nil, errors.New("a server's certificate is always verified: give VerifyConnection to do it yourself")
	}
	return config, nil
}
