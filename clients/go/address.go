package hito

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// nextAddressDelay is how long an address of a name is tried before the next one is tried beside it (C1.1).
const nextAddressDelay = 250 * time.Millisecond

// address is where a server listens.
type address struct {
	host string
	port string
}

func (a address) String() string { return net.JoinHostPort(a.host, a.port) }

// parseAddresses reads `host:port,[2001:db8::1]:port`.
func parseAddresses(texts string) ([]address, error) {
	var addresses []address
	for _, text := range strings.Split(texts, ",") {
		host, port, err := net.SplitHostPort(strings.TrimSpace(text))
		number, notNumber := strconv.ParseUint(port, 10, 16)
		if err != nil || host == "" || notNumber != nil || number == 0 {
			return nil, fmt.Errorf("%q is not an address: say host:port, or [IPv6]:port", text)
		}
		addresses = append(addresses, address{host, port})
	}
	return addresses, nil
}

// dialTCP connects to the first address of a name that answers. One that refuses, or says nothing for a while, does
// not hold up the others; the families take turns.
func dialTCP(ctx context.Context, to address) (net.Conn, error) {
	hosts, err := hostsOf(ctx, to.host)
	if err != nil {
		return nil, err
	}
	return dialFirst(ctx, hosts, to.port)
}

func dialFirst(ctx context.Context, hosts []string, port string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		socket net.Conn
		err    error
	}
	results := make(chan result)
	running := 0
	// Who comes second is closed; nobody is left behind.
	defer func() {
		cancel()
		for range running {
			if late := <-results; late.err == nil {
				_ = late.socket.Close()
			}
		}
	}()
	next := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	failure := errors.New("the name has no address")
	for next < len(hosts) || running > 0 {
		select {
		case <-timer.C:
			if next == len(hosts) {
				continue
			}
			place := net.JoinHostPort(hosts[next], port)
			next++
			running++
			go func() {
				var dialer net.Dialer
				socket, err := dialer.DialContext(ctx, "tcp", place)
				results <- result{socket, err}
			}()
			timer.Reset(nextAddressDelay)
		case one := <-results:
			running--
			if one.err == nil {
				return one.socket, nil
			}
			failure = one.err
			timer.Reset(0)
		}
	}
	return nil, failure
}

// hostsOf resolves a name, one family after the other in turn.
func hostsOf(ctx context.Context, host string) ([]string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var families [2][]string
	for _, one := range found {
		family := 0
		if one.Unmap().Is4() != found[0].Unmap().Is4() {
			family = 1
		}
		families[family] = append(families[family], one.Unmap().String())
	}
	var hosts []string
	for place := range max(len(families[0]), len(families[1])) {
		for _, family := range families {
			if place < len(family) {
				hosts = append(hosts, family[place])
			}
		}
	}
	return hosts, nil
}
