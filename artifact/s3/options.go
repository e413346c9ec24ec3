package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
)

// Options say where a bucket is and who is asking. They never print their secrets,
// whatever verb, logger or encoder they meet.
type Options struct {
	// Endpoint is host:port, or a URL whose scheme then overrides TLS.
	Endpoint string
	// AccessKey, SecretKey and SessionToken are static credentials. With no AccessKey
	// they come from where AWS tools find theirs: environment, files, the machine's role.
	AccessKey    string
	SecretKey    string
	SessionToken string
	// Region defaults to us-east-1, except at AWS, where it follows from the endpoint.
	Region string
	Bucket string
	// Prefix is a folder in the bucket below which everything stays; usually empty.
	Prefix string
	TLS    bool
	// CreateBucket makes the bucket when it is absent.
	CreateBucket bool
	// Encryption that the store is asked for: SSES3 or SSEKMS; empty is what the bucket
	// does by itself. KMSKey is the key of SSEKMS; empty is the store's.
	Encryption string
	KMSKey     string
	// LockMode retains blobs and manifests, which never change, for LockDays against
	// deletion: Governance, which people with a right to can lift, or Compliance, which
	// nobody can; empty is what the bucket does by itself. The bucket must have been made
	// with object lock.
	LockMode string
	LockDays int
}

// Values of Options.Encryption and Options.LockMode.
const (
	SSES3      = "sse-s3"
	SSEKMS     = "sse-kms"
	Governance = "governance"
	Compliance = "compliance"
)

const redacted = "[redacted]"

// public is o without its secrets; a secret that is set is seen to be set.
func (o Options) public() map[string]any {
	hide := func(s string) string {
		if s == "" {
			return ""
		}
		return redacted
	}
	return map[string]any{"endpoint": o.Endpoint, "access_key": o.AccessKey, "secret_key": hide(o.SecretKey),
		"session_token": hide(o.SessionToken), "region": o.Region, "bucket": o.Bucket, "prefix": o.Prefix,
		"tls": o.TLS, "create_bucket": o.CreateBucket, "encryption": o.Encryption, "kms_key": o.KMSKey,
		"lock_mode": o.LockMode, "lock_days": o.LockDays}
}

// String describes o without its secrets.
func (o Options) String() string {
	text, err := o.MarshalJSON()
	if err != nil {
		return "s3.Options(" + redacted + ")"
	}
	return string(text)
}

// Format prints String for every verb, %+v and %#v among them.
func (o Options) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, o.String()) }

// MarshalJSON encodes o without its secrets.
func (o Options) MarshalJSON() ([]byte, error) { return json.Marshal(o.public()) }

// LogValue logs o without its secrets.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// resolve checks o and settles its defaults.
func (o Options) resolve() (Options, error) {
	if strings.Contains(o.Endpoint, "://") {
		u, err := url.Parse(o.Endpoint)
		if err != nil {
			// The parser's error quotes the URL, which may carry a password.
			return o, errors.New("endpoint: not a URL, nor host:port")
		}
		if u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
			return o, errors.New("endpoint: want scheme://host:port and nothing more")
		}
		switch u.Scheme {
		case "http":
			o.TLS = false
		case "https":
			o.TLS = true
		default:
			return o, fmt.Errorf("endpoint: scheme %q: want http or https", u.Scheme)
		}
		o.Endpoint = u.Host
	}
	if o.Endpoint == "" {
		return o, errors.New("endpoint is not set")
	}
	if o.Bucket == "" {
		return o, errors.New("bucket is not set")
	}
	if (o.AccessKey == "") != (o.SecretKey == "") {
		return o, errors.New("access key and secret key: set both or neither")
	}
	switch {
	case o.Encryption != "" && o.Encryption != SSES3 && o.Encryption != SSEKMS:
		return o, fmt.Errorf("encryption %q: want %s or %s", o.Encryption, SSES3, SSEKMS)
	case o.KMSKey != "" && o.Encryption != SSEKMS:
		return o, fmt.Errorf("KMS key: it is for encryption %s", SSEKMS)
	case o.LockMode != "" && o.LockMode != Governance && o.LockMode != Compliance:
		return o, fmt.Errorf("lock mode %q: want %s or %s", o.LockMode, Governance, Compliance)
	case (o.LockMode == "") != (o.LockDays == 0) || o.LockDays < 0:
		return o, errors.New("lock mode and lock days: set both or neither")
	}
	if o.Prefix = strings.Trim(o.Prefix, "/"); o.Prefix != "" {
		o.Prefix += "/"
	}
	if o.Region == "" && !strings.Contains(o.Endpoint, "amazonaws.com") {
		o.Region = "us-east-1"
	}
	return o, nil
}
