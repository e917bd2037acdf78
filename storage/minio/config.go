package minio

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// Lock is what forbids the deletion of a retained blob.
type Lock string

// The locks. With LockNone Retain is kept by this program alone; the others are an object lock of the bucket,
// which the server keeps against everyone who holds the keys (compliance), or who lacks the right to pass by it (governance).
const (
	LockNone       Lock = "none"
	LockGovernance Lock = "governance"
	LockCompliance Lock = "compliance"
)

// Config says where the bucket is and what it promises.
type Config struct {
	Endpoint  string // URL of the server, http or https: "https://minio.example:9000"
	Bucket    string // made if it is absent
	AccessKey string
	SecretKey string
	Region    string // "": us-east-1
	Lock      Lock   // "": none
	SSE       bool   // the server encrypts with keys of its own (SSE-S3)
	CA        []byte // PEM: trusted besides the system's authorities; https only
	Spool     string // folder for uploads that are not yet whole, as large as the uploads of one moment; "": the system's

	Log *slog.Logger // told of each try to reach the server at a start; nil: nothing is logged
}

// Check names all that is wrong with the settings, in one error.
func (c Config) Check() error {
	_, err := c.check()
	return err
}

// check is Check; it returns the endpoint.
func (c Config) check() (*url.URL, error) {
	var faults []error
	fault := func(wrong bool, text string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(text, args...))
		}
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		u = &url.URL{}
	}
	https, path := u.Scheme == "https", u.Path != "" && u.Path != "/"
	fault(!https && u.Scheme != "http" || u.Host == "" || path || u.RawQuery != "" || u.User != nil,
		"endpoint %q is not http://host:port or https://host:port", c.Endpoint)
	fault(s3utils.CheckValidBucketNameStrict(c.Bucket) != nil, "bucket %q is not 3 to 63 of a-z, 0-9, '.' and '-'", c.Bucket)
	fault(c.AccessKey == "" || c.SecretKey == "", "access key and secret key must both be given")
	fault(!slices.Contains([]Lock{"", LockNone, LockGovernance, LockCompliance}, c.Lock),
		"lock %q is not none, governance or compliance", c.Lock)
	fault(len(c.CA) > 0 && !https, "a certificate authority needs an https endpoint")
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("storage/minio: %w", err)
	}
	return u, nil
}

func (c Config) region() string {
	if c.Region == "" {
		return "us-east-1" // asking the server would be a request more
	}
	return c.Region
}

// transport keeps a connection for each of many uploads at once, and waits for none of them for ever.
func (c Config) transport(secure bool) (*http.Transport, error) {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: answerTime,
		IdleConnTimeout:       20 * time.Second, // less than a server's: MinIO lets one go after 30 s
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   256,
		DisableCompression:    true,
	}
	if !secure {
		return t, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("storage/minio: the system's certificate authorities: %w", err)
	}
	if len(c.CA) > 0 && !roots.AppendCertsFromPEM(c.CA) {
		return nil, errors.New("storage/minio: the certificate authority is not PEM")
	}
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return t, nil
}
