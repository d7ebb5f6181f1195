package hito

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"hito.example/hito/internal/wire"
)

// authority signs certificates of a test.
type authority struct {
	t           *testing.T
	folder      string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	caFile      string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, folder: t.TempDir()}
	a.key = newPrivateKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	check(t, err)
	a.certificate, err = x509.ParseCertificate(der)
	check(t, err)
	a.caFile = a.file("ca.pem", "CERTIFICATE", der)
	return a
}

func newPrivateKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func (a *authority) file(name, kind string, der []byte) string {
	path := filepath.Join(a.folder, name)
	check(a.t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// sign makes a certificate for 127.0.0.1, and its key.
func (a *authority) sign(name string) (certificateFile, keyFile string) {
	key := newPrivateKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	check(a.t, err)
	encoded, err := x509.MarshalECPrivateKey(key)
	check(a.t, err)
	return a.file(name+".pem", "CERTIFICATE", der), a.file(name+"-key.pem", "EC PRIVATE KEY", encoded)
}

// fakeServer speaks the protocol's bytes, and has a test answer each call.
type fakeServer struct {
	t        *testing.T
	listener net.Listener
	address  string
	caFile   string
	hello    []byte
	answer   func(p *peer, call peerCall)

	mu    sync.Mutex
	peers []*peer
	ended sync.WaitGroup
}

// peer is one connection.
type peer struct {
	server *fakeServer
	socket *tls.Conn
	mu     sync.Mutex
	// cancelled streams.
	cancelled chan uint32
	// hellos is the fields of its HELLO.
	hellos chan map[uint8][]byte
}

// peerCall is a CALL that has come.
type peerCall struct {
	stream uint32
	flags  uint8
	path   string
	fields map[uint8][]byte
	rest   []byte
}

var emptyBlock = []byte{0, 0}

func serve(t *testing.T, configure func(*tls.Config), answer func(p *peer, call peerCall)) *fakeServer {
	a := newAuthority(t)
	certificateFile, keyFile := a.sign("server")
	certificate, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	check(t, err)
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{alpn}}
	if configure != nil {
		configure(config)
	}
	s := &fakeServer{t: t, caFile: a.caFile, hello: emptyBlock, answer: answer}
	s.listener, err = tls.Listen("tcp", "127.0.0.1:0", config)
	check(t, err)
	s.address = s.listener.Addr().String()
	s.ended.Add(1)
	go s.accept()
	t.Cleanup(s.stop)
	return s
}

func (s *fakeServer) stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	for _, p := range s.peers {
		_ = p.socket.NetConn().Close()
	}
	s.mu.Unlock()
	s.ended.Wait()
}

// peer is a connection that has come.
func (s *fakeServer) peer(place int) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers[place]
}

func (s *fakeServer) accept() {
	defer s.ended.Done()
	for {
		socket, err := s.listener.Accept()
		if err != nil {
			return
		}
		p := &peer{server: s, socket: socket.(*tls.Conn), cancelled: make(chan uint32, 1000)}
		p.hellos = make(chan map[uint8][]byte, 1)
		s.mu.Lock()
		s.peers = append(s.peers, p)
		s.mu.Unlock()
		s.ended.Add(1)
		go func() {
			defer s.ended.Done()
			p.run()
			_ = socket.Close()
		}()
	}
}

func (p *peer) run() {
	reader := bufio.NewReader(p.socket)
	for {
		var head [wire.HeaderSize]byte
		if _, err := io.ReadFull(reader, head[:]); err != nil {
			return
		}
		header := wire.ParseHeader(head)
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(reader, payload); err != nil {
			return
		}
		switch header.Kind {
		case wire.HelloFrame:
			p.hellos <- parseCall(header, payload).fields
			p.send(wire.HelloFrame, 0, 0, p.server.hello)
		case wire.CallFrame:
			call := parseCall(header, payload)
			p.server.answer(p, call)
			if header.Flags&wire.FlagMore != 0 {
				p.grant(call.stream, len(call.rest))
			}
		case wire.CancelFrame:
			p.cancelled <- header.Stream
		case wire.PingFrame:
			p.send(wire.PongFrame, 0, 0, payload)
		case wire.MessageFrame:
			if header.Flags&wire.FlagMore == 0 {
				p.server.answer(p, peerCall{stream: header.Stream, flags: header.Flags, rest: payload})
			}
			p.grant(header.Stream, len(payload))
		case wire.EndFrame:
			p.server.answer(p, peerCall{stream: header.Stream, flags: wire.FlagEnd})
		}
	}
}

// grant returns credit for bytes that came.
func (p *peer) grant(stream uint32, amount int) {
	if amount > 0 {
		p.send(wire.CreditFrame, 0, 0, wire.EncodeCredit(uint32(amount)))
		p.send(wire.CreditFrame, 0, stream, wire.EncodeCredit(uint32(amount)))
	}
}

func parseCall(header wire.Header, payload []byte) peerCall {
	call := peerCall{stream: header.Stream, flags: header.Flags, fields: map[uint8][]byte{}}
	end := 2 + int(binary.BigEndian.Uint16(payload))
	for at := 2; at < end; {
		length := int(binary.BigEndian.Uint16(payload[at+1:]))
		call.fields[payload[at]] = payload[at+3 : at+3+length]
		at += 3 + length
	}
	call.path, call.rest = string(call.fields[1]), payload[end:]
	return call
}

func (p *peer) send(kind wire.Kind, flags uint8, stream uint32, parts ...[]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = p.socket.Write(wire.AppendFrame(nil, kind, flags, stream, parts...))
}

// reply ends a call well.
func (p *peer) reply(stream uint32, message proto.Message) {
	encoded, _ := proto.Marshal(message)
	p.send(wire.EndFrame, wire.FlagHasMessage, stream, emptyBlock, encoded)
}

func (p *peer) message(stream uint32, message proto.Message) {
	encoded, _ := proto.Marshal(message)
	p.send(wire.MessageFrame, 0, stream, encoded)
}

func (p *peer) fail(stream uint32, code Code) {
	p.send(wire.EndFrame, 0, stream, []byte{0, 5, 1, 0, 2, 0, byte(code)})
}

func (s *fakeServer) client(options ...Option) *Client {
	s.t.Helper()
	client, err := New(s.address, append([]Option{WithCAFile(s.caFile)}, options...)...)
	check(s.t, err)
	s.t.Cleanup(client.Close)
	return client
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// leavesNothing fails the test where goroutines of the client are left after it.
func leavesNothing(t *testing.T) {
	t.Helper()
	var left string
	for range 1000 {
		buffer := make([]byte, 1<<20)
		left = ""
		for _, one := range strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
			isOurs := strings.Contains(one, "hito.example/hito.") && !strings.Contains(one, "_test.go")
			if isOurs {
				left += one + "\n\n"
			}
		}
		if left == "" {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("goroutines are left:\n%s", left)
}
