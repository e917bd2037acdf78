package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Bucket is where blobs lie on an S3 server.
type Bucket struct {
	Endpoint  string // URL of the server; "": blobs lie in the data folder
	Name      string
	AccessKey string
	SecretKey string
	Region    string // "": the server's default
	Lock      string // "none", "governance" or "compliance"; "" is none
	Encrypt   bool   // the server encrypts with keys of its own
	CA        []byte // PEM, beside the system's roots
}

func setMongoDB(c *Config, v string) error {
	if v == "" {
		return nil
	}
	scheme, rest, _ := strings.Cut(v, "://")
	hosts, rest, _ := strings.Cut(rest, "/")
	database, _, _ := strings.Cut(rest, "?")
	if scheme != "mongodb" && scheme != "mongodb+srv" || hosts == "" || database == "" {
		return errors.New("must read mongodb://host:port/database?replicaSet=name")
	}
	c.MongoDB = v
	return nil
}

// The parameters of WALKAROUND_MINIO_URL.
const (
	paramLock    = "lock"
	paramEncrypt = "encrypt"
	paramRegion  = "region"
	paramCA      = "ca"
)

func setMinIO(c *Config, v string) error {
	if v == "" {
		return nil
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User == nil {
		return errors.New("must read https://key:secret@host:port/bucket, what is no letter or digit in key and secret written as %XX")
	}
	secret, _ := u.User.Password()
	c.Bucket = Bucket{
		Endpoint: u.Scheme + "://" + u.Host, Name: strings.Trim(u.Path, "/"), AccessKey: u.User.Username(), SecretKey: secret,
	}
	return c.Bucket.options(u.Query())
}

// options reads what stands behind the question mark.
func (b *Bucket) options(given url.Values) (err error) {
	for name, values := range given {
		value := values[0]
		switch {
		case len(values) > 1:
			return fmt.Errorf("%s stands twice", name)
		case name == paramRegion:
			b.Region = value
		case name == paramLock && slices.Contains([]string{"none", "governance", "compliance"}, value):
			b.Lock = value
		case name == paramEncrypt && (value == "true" || value == "false"):
			b.Encrypt = value == "true"
		case name == paramCA:
			if b.CA, err = os.ReadFile(value); err != nil { //nolint:gosec // the file that the operator named
				return fmt.Errorf("ca can't be read (%w)", reason(err))
			}
		default:
			return errors.New("behind the ? stand lock=none, governance or compliance, encrypt=true or false, region=name, ca=file")
		}
	}
	return nil
}

// checkShared asks for what several replicas, or the next machine, must have alike.
func checkShared(c Config) FaultErrors {
	if c.MongoDB != "" && c.Secret == nil {
		return FaultErrors{"WALKAROUND_MONGODB_URI is set, so WALKAROUND_SECRET must be given too: every replica decrypts the signing keys with it."}
	}
	return nil
}
