package hito

import (
	"context"
	"errors"
)

// callToken is the token of one call, for each of its attempts: its own, or the provider's. Those who open and receive
// use it; heard is for any.
type callToken struct {
	// tokens is nil where the call has a token of its own, or the client has no provider.
	tokens *tokens
	// text is empty where HELLO's is meant.
	text    string
	refusal *Error
}

func (c *Client) callToken(options *CallOptions) callToken {
	if options.Token != "" || c.tokens == nil {
		return callToken{text: options.Token}
	}
	return callToken{tokens: c.tokens}
}

// next is the one to say in the CALL of the next attempt.
func (k *callToken) next(ctx context.Context) (string, *Error) {
	if k.tokens == nil {
		return k.text, nil
	}
	text, failure := k.tokens.get(ctx)
	if failure == nil {
		k.text = text
		return text, nil
	}
	if failure.Code == Unauthenticated && k.refusal != nil {
		// What the server said says more. Others may have that error, too: a copy.
		refusal := *k.refusal
		return "", refusal.because(failure.cause)
	}
	return "", failure
}

// failed takes what came of an attempt; whether it is to be repeated at once under another token, which is once.
func (k *callToken) failed(err error) (mayRenew bool) {
	k.heard(err)
	if !k.isRefused(err) {
		return false
	}
	isFirst := k.refusal == nil
	errors.As(err, &k.refusal)
	return isFirst
}

// heard takes what a server said to a call under it: that it went well where there is no error.
func (k *callToken) heard(err error) {
	if k.tokens == nil {
		return
	}
	var failure *Error
	switch {
	case k.isRefused(err):
		k.tokens.refused(k.text)
	case err == nil || errors.As(err, &failure) && failure.FromServer:
		k.tokens.taken(k.text)
	}
}

// isRefused tells whether a server refused a token that the client can replace.
func (k *callToken) isRefused(err error) bool {
	var failure *Error
	return k.tokens != nil && errors.As(err, &failure) && failure.FromServer && failure.Code == Unauthenticated
}
