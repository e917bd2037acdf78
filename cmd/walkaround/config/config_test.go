package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/walkaround/cmd/walkaround/config"
)

func TestLoadGivesDefaults(t *testing.T) {
	c, err := config.Load(nil, []string{"HOME=/home/mei", "WALKAROUND_ADDR="})
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:8080" || c.Data != "./walkaround-data" || c.RatePerAccount != 2000 || c.RetentionYears != 10 {
		t.Errorf("defaults are %+v", c)
	}
	if c.LocalTLS || c.Secret != nil || c.TrustedProxies != nil || c.TimestampURL != "" || c.TimestampCA != nil {
		t.Errorf("what is off by default is on: %+v", c)
	}
	if c.LogLevel != slog.LevelInfo || c.LogFormat != "text" {
		t.Errorf("logs are %v %v", c.LogLevel, c.LogFormat)
	}
}

func TestLoadReadsEachOption(t *testing.T) {
	cert, _ := pair(t)
	secret := strings.Repeat("0f", 32)
	c, err := config.Load(
		[]string{"--tls=local", "--ca-addr", ":9001", "--log-level=debug"},
		[]string{
			"WALKAROUND_ADDR=:9000", "WALKAROUND_DATA=/srv/w", "WALKAROUND_SECRET=" + secret,
			"WALKAROUND_PUBLIC_URL=https://lane.example.com/w/", "WALKAROUND_ADMIN_PASSWORD=four paper cranes",
			"WALKAROUND_TRUSTED_PROXIES=10.1.2.3/8, ::1", "WALKAROUND_METRICS_FROM=10.1.2.3/8,::1", "WALKAROUND_RATE_PER_ACCOUNT=50",
			"WALKAROUND_TIMESTAMP_URL=http://tsa.example.com/tsr", "WALKAROUND_TIMESTAMP_CA=" + cert,
			"WALKAROUND_RETENTION_YEARS=5", "WALKAROUND_LOG_LEVEL=error", "WALKAROUND_LOG_FORMAT=json",
		})
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != ":9000" || c.Data != "/srv/w" || !c.LocalTLS || c.CAAddr != ":9001" || len(c.Secret) != config.SecretBytes {
		t.Errorf("door and folder are %+v", c)
	}
	if c.PublicURL != "https://lane.example.com/w" || c.AdminPassword != "four paper cranes" || c.RatePerAccount != 50 {
		t.Errorf("URL, password, rate are %+v", c)
	}
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if !slices.Equal(c.TrustedProxies, want) {
		t.Errorf("proxies are %v", c.TrustedProxies)
	}
	if !slices.Equal(c.MetricsFrom, want) {
		t.Errorf("metrics may be read from %v", c.MetricsFrom)
	}
	if c.TimestampURL != "http://tsa.example.com/tsr" || c.TimestampCA == nil || c.RetentionYears != 5 {
		t.Errorf("evidence options are %+v", c)
	}
	if c.LogLevel != slog.LevelDebug || c.LogFormat != "json" {
		t.Errorf("the flag did not override the variable: %v %v", c.LogLevel, c.LogFormat)
	}
}

func TestLoadReadsWhereThingsLie(t *testing.T) {
	cert, _ := pair(t)
	uri := "mongodb://a:b@db1:27017,db2:27017/lane?replicaSet=rs0"
	c, err := config.Load(nil, []string{
		"WALKAROUND_MONGODB_URI=" + uri, "WALKAROUND_SECRET=" + strings.Repeat("0f", 32),
		"WALKAROUND_MINIO_URL=https://key:sec%2Fret@minio.example.com:9000/evidence?lock=compliance&encrypt=true&region=eu&ca=" + cert,
	})
	if err != nil || c.MongoDB != uri {
		t.Fatalf("%+v, %v", c, err)
	}
	b := c.Bucket
	if b.Endpoint != "https://minio.example.com:9000" || b.Name != "evidence" || b.AccessKey != "key" || b.SecretKey != "sec/ret" {
		t.Errorf("the bucket is %+v", b)
	}
	if b.Lock != "compliance" || !b.Encrypt || b.Region != "eu" || len(b.CA) == 0 {
		t.Errorf("the bucket's options are %+v", b)
	}
}

func TestLoadTakesOwnCertificate(t *testing.T) {
	cert, key := pair(t)
	c, err := config.Load([]string{"--tls-cert", cert, "--tls-key", key}, nil)
	if err != nil || c.TLSCert != cert || c.TLSKey != key {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestLoadGivesTheSystemsRootsToAnAuthority(t *testing.T) {
	c, err := config.Load([]string{"--timestamp-url=https://tsa.example.com"}, nil)
	if err != nil || c.TimestampCA == nil {
		t.Fatalf("%v, %v", c.TimestampCA, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	cert, key := pair(t)
	_, otherKey := pair(t)
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, c := range map[string]struct {
		set  string // one variable, or flags behind a space
		want string // the whole sentence, or how it begins
	}{
		"unknown variable":      {"WALKAROUND_COLOUR=red", "WALKAROUND_COLOUR is not an option; `walkaround serve --help` lists them."},
		"option of later":       {"WALKAROUND_KAFKA_URI=kafka://h/d", "WALKAROUND_KAFKA_URI is not an option;"},
		"cluster, no secret":    {"WALKAROUND_MONGODB_URI=mongodb://h/d", "WALKAROUND_MONGODB_URI is set, so WALKAROUND_SECRET must be given too"},
		"cluster, no database":  {"WALKAROUND_MONGODB_URI=mongodb://h:27017/?replicaSet=rs0", "WALKAROUND_MONGODB_URI must read mongodb://"},
		"cluster by http":       {"WALKAROUND_MONGODB_URI=http://h/d", "WALKAROUND_MONGODB_URI must read mongodb://"},
		"bucket without keys":   {"WALKAROUND_MINIO_URL=https://h:9000/b", "WALKAROUND_MINIO_URL must read https://key:secret@host"},
		"bucket by s3":          {"WALKAROUND_MINIO_URL=s3://k:s@h/b", "WALKAROUND_MINIO_URL must read https://key:secret@host"},
		"weak lock":             {"WALKAROUND_MINIO_URL=https://k:s@h/b?lock=maybe", "WALKAROUND_MINIO_URL behind the ? stand"},
		"two locks":             {"WALKAROUND_MINIO_URL=https://k:s@h/b?lock=none&lock=none", "WALKAROUND_MINIO_URL lock stands twice"},
		"no such bucket roots":  {"WALKAROUND_MINIO_URL=https://k:s@h/b?ca=" + missing, "WALKAROUND_MINIO_URL ca can't be read"},
		"address without port":  {"WALKAROUND_ADDR=localhost", `WALKAROUND_ADDR is "localhost", but it must be host:port, such as 127.0.0.1:8080.`},
		"port out of range":     {"WALKAROUND_ADDR=:65536", `WALKAROUND_ADDR is ":65536", but its port must be a number from 0 to 65535.`},
		"named port":            {"WALKAROUND_ADDR=:http", "WALKAROUND_ADDR is"},
		"other tls":             {"WALKAROUND_TLS=yes", `WALKAROUND_TLS is "yes", but only local is known;`},
		"flag is named":         {" --tls=yes", `--tls (WALKAROUND_TLS) is "yes", but`},
		"short secret":          {"WALKAROUND_SECRET=abc", "WALKAROUND_SECRET must be 64 hex digits;"},
		"secret not hex":        {"WALKAROUND_SECRET=" + strings.Repeat("zz", 32), "WALKAROUND_SECRET must be 64 hex digits;"},
		"relative public URL":   {"WALKAROUND_PUBLIC_URL=lane.example.com", "WALKAROUND_PUBLIC_URL is"},
		"public URL with query": {"WALKAROUND_PUBLIC_URL=https://h/?a=b", `WALKAROUND_PUBLIC_URL is "https://h/?a=b", but it may hold no query`},
		"public URL with user":  {"WALKAROUND_PUBLIC_URL=https://u:p@h/", "WALKAROUND_PUBLIC_URL is"},
		"short password":        {"WALKAROUND_ADMIN_PASSWORD=hunter2", "WALKAROUND_ADMIN_PASSWORD can't be taken: a password has at least"},
		"common password":       {"WALKAROUND_ADMIN_PASSWORD=password123", "WALKAROUND_ADMIN_PASSWORD can't be taken: this password is among"},
		"metrics name":          {"WALKAROUND_METRICS_FROM=prometheus", `WALKAROUND_METRICS_FROM is "prometheus", but "prometheus" is no address`},
		"proxy name":            {"WALKAROUND_TRUSTED_PROXIES=10.0.0.1,nginx", `WALKAROUND_TRUSTED_PROXIES is "10.0.0.1,nginx", but "nginx" is no address`},
		"rate of zero":          {"WALKAROUND_RATE_PER_ACCOUNT=0", `WALKAROUND_RATE_PER_ACCOUNT is "0", but it must be a whole number from 1 to 1000000.`},
		"rate in words":         {"WALKAROUND_RATE_PER_ACCOUNT=many", "WALKAROUND_RATE_PER_ACCOUNT is"},
		"authority by ftp":      {"WALKAROUND_TIMESTAMP_URL=ftp://tsa", "WALKAROUND_TIMESTAMP_URL is"},
		"no such roots":         {"WALKAROUND_TIMESTAMP_CA=" + missing, "WALKAROUND_TIMESTAMP_CA is"},
		"roots are a key":       {"WALKAROUND_TIMESTAMP_CA=" + key, "WALKAROUND_TIMESTAMP_CA is"},
		"roots alone":           {"WALKAROUND_TIMESTAMP_CA=" + cert, "WALKAROUND_TIMESTAMP_CA is set, so WALKAROUND_TIMESTAMP_URL must name"},
		"no retention":          {"WALKAROUND_RETENTION_YEARS=0", "WALKAROUND_RETENTION_YEARS is"},
		"log level":             {"WALKAROUND_LOG_LEVEL=loud", "WALKAROUND_LOG_LEVEL is"},
		"log format":            {"WALKAROUND_LOG_FORMAT=xml", "WALKAROUND_LOG_FORMAT is"},
		"certificate alone":     {"WALKAROUND_TLS_CERT=" + cert, "WALKAROUND_TLS_CERT is set, so WALKAROUND_TLS_KEY must"},
		"key alone":             {"WALKAROUND_TLS_KEY=" + key, "WALKAROUND_TLS_KEY is set, so WALKAROUND_TLS_CERT must"},
		"key of another":        {" --tls-cert=" + cert + " --tls-key=" + otherKey, "WALKAROUND_TLS_CERT and WALKAROUND_TLS_KEY are no pair"},
		"both ways of TLS":      {" --tls=local --tls-cert=" + cert, `WALKAROUND_TLS is "local", so`},
		"page without CA":       {"WALKAROUND_CA_ADDR=:81", "WALKAROUND_CA_ADDR is set, but only --tls=local"},
		"page at the door":      {" --tls=local --addr=:443 --ca-addr=:443", "WALKAROUND_CA_ADDR is the same as WALKAROUND_ADDR;"},
		"http with local":       {" --tls=local --public-url=http://h", "WALKAROUND_PUBLIC_URL begins with http:, but"},
		"unknown flag":          {" --colour=red", "--colour is not an option;"},
		"flag without value":    {" --addr", "--addr needs a value."},
		"word without dashes":   {" here", `"here" is not a flag;`},
	} {
		t.Run(name, func(t *testing.T) {
			variable, flags, _ := strings.Cut(c.set, " ")
			_, err := config.Load(strings.Fields(flags), []string{variable})
			var faults config.FaultErrors
			if !errors.As(err, &faults) || len(faults) != 1 || !strings.HasPrefix(faults[0], c.want) {
				t.Fatalf("got %q, want one sentence: %q", faults, c.want)
			}
			if !strings.HasSuffix(faults[0], ".") || strings.Contains(faults[0], "\n") {
				t.Errorf("%q is not one sentence", faults[0])
			}
		})
	}
}

func TestLoadTellsAllFaultsAtOnce(t *testing.T) {
	_, err := config.Load([]string{"--log-level=loud"}, []string{"WALKAROUND_ADDR=x", "WALKAROUND_B=1", "WALKAROUND_A=1", "WALKAROUND_TLS_KEY=k"})
	var faults config.FaultErrors
	if !errors.As(err, &faults) || len(faults) != 5 {
		t.Fatalf("got %q", faults)
	}
	for i, want := range []string{"WALKAROUND_A ", "WALKAROUND_B ", "WALKAROUND_ADDR ", "--log-level (WALKAROUND_LOG_LEVEL) ", "WALKAROUND_TLS_KEY "} {
		if !strings.HasPrefix(faults[i], want) {
			t.Errorf("sentence %d is %q, want %s", i, faults[i], want)
		}
	}
}

func TestLoadNeverRepeatsSecrets(t *testing.T) {
	_, err := config.Load([]string{"--secret=tell-no-one"}, []string{"WALKAROUND_ADMIN_PASSWORD=hunter2"})
	if err == nil || strings.Contains(err.Error(), "tell-no-one") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestLoadHelp(t *testing.T) {
	if _, err := config.Load([]string{"--help"}, nil); !errors.Is(err, config.ErrHelp) {
		t.Errorf("got %v", err)
	}
	if u := config.Usage(); !strings.Contains(u, "--public-url (WALKAROUND_PUBLIC_URL)") || !strings.Contains(u, "default: 127.0.0.1:8080") {
		t.Errorf("usage is\n%s", u)
	}
}

// TestReadmeHasTheTable holds the README to the table. It must be between the markers, once the README is there.
func TestReadmeHasTheTable(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no README.md yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begun := strings.Cut(string(text), "<!-- config:begin -->\n")
	got, _, ended := strings.Cut(rest, "<!-- config:end -->")
	if !begun || !ended {
		t.Skip("README.md has no markers yet")
	}
	if strings.TrimSpace(got) != strings.TrimSpace(config.Markdown()) {
		t.Errorf("the README's table is not config.Markdown():\n%s", config.Markdown())
	}
}

// pair makes the files of a certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
