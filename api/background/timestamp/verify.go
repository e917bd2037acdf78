package timestamp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // RFC 2634 names a certificate by SHA-1; nothing is signed with it
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

var (
	oidSignedData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCert      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// algorithms are the hashes that a token may be signed over: SHA-1 and MD5 are not among them.
var algorithms = []struct {
	oid  asn1.ObjectIdentifier
	hash crypto.Hash
	rsa  x509.SignatureAlgorithm
	ec   x509.SignatureAlgorithm
}{
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256, x509.SHA256WithRSA, x509.ECDSAWithSHA256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA384, x509.SHA384WithRSA, x509.ECDSAWithSHA384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, crypto.SHA512, x509.SHA512WithRSA, x509.ECDSAWithSHA512},
}

// essCert names the certificate that a signature is meant to be made with (RFC 2634, RFC 5816). Version 1 has no algorithm.
type essCert struct {
	Algorithm pkix.AlgorithmIdentifier `asn1:"optional"`
	Hash      []byte
	Issuer    asn1.RawValue `asn1:"optional"`
}

type signingCertificate struct {
	Certs    []essCert
	Policies asn1.RawValue `asn1:"optional"`
}

// verify takes a token apart and checks all that Verify promises.
func verify(token, digest []byte, roots *x509.CertPool) (stamp, error) {
	if roots == nil {
		return stamp{}, untrusted("no root certificates are given")
	}
	s, err := consistent(token, digest)
	if err != nil {
		return stamp{}, err
	}
	return s, s.checkChain(roots)
}

// consistent is verify without the chain.
func consistent(token, digest []byte) (stamp, error) {
	s, err := parse(token)
	if err != nil {
		return stamp{}, err
	}
	for _, check := range []func() error{
		func() error { return s.checkInfo(digest) },
		s.checkAttributes,
		s.checkSignature,
		s.checkPurpose,
	} {
		if err := check(); err != nil {
			return stamp{}, err
		}
	}
	return s, nil
}

// checkInfo: the token is over this digest, and says nothing that we don't understand.
func (s stamp) checkInfo(digest []byte) error {
	hash, ok := hashOf(s.info.Imprint.Algorithm.Algorithm)
	if s.info.Version != 1 || !ok || hash != crypto.SHA256 || !bytes.Equal(s.info.Imprint.Hash, digest) {
		return untrusted("it stamps something else")
	}
	for _, e := range s.info.Extensions {
		if e.Critical {
			return untrusted("it has a critical extension %v", e.Id)
		}
	}
	return nil
}

// checkAttributes: the signature is over exactly this content, and meant to be by this certificate.
func (s stamp) checkAttributes() error {
	var contentType asn1.ObjectIdentifier
	if err := decode(s.attributes[oidContentType.String()], &contentType); err != nil || !contentType.Equal(oidTSTInfo) {
		return untrusted("the signature is not made over a time")
	}
	hash, ok := hashOf(s.signer.DigestAlgorithm.Algorithm)
	if !ok {
		return untrusted("it is signed over an unknown or outdated hash")
	}
	var sum []byte
	if err := decode(s.attributes[oidMessageDigest.String()], &sum); err != nil || !bytes.Equal(sum, hashed(hash, s.content)) {
		return untrusted("the signature is made over something else")
	}
	return s.checkNamedCertificate()
}

// checkNamedCertificate: without it, another certificate of the same key could be put in its place.
func (s stamp) checkNamedCertificate() error {
	var named signingCertificate
	sum := sha1.Sum(s.certificate.Raw) //nolint:gosec // as RFC 2634 says
	want := sum[:]
	der, second := s.attributes[oidSigningCertV2.String()]
	if !second {
		der = s.attributes[oidSigningCert.String()]
	}
	if err := decode(der, &named); err != nil || len(named.Certs) == 0 {
		return untrusted("the signature names no certificate")
	}
	if second {
		hash := crypto.SHA256 // the default of RFC 5035
		if oid := named.Certs[0].Algorithm.Algorithm; oid != nil {
			hash, _ = hashOf(oid)
		}
		want = hashed(hash, s.certificate.Raw)
	}
	if want == nil || !bytes.Equal(named.Certs[0].Hash, want) {
		return untrusted("the signature names another certificate")
	}
	return nil
}

// checkSignature: the certificate's key made the signature over the attributes, as a SET (RFC 5652, 5.4).
func (s stamp) checkSignature() error {
	signed := bytes.Clone(s.signer.Attributes.FullBytes)
	if len(signed) == 0 {
		return untrusted("it has no signed attributes")
	}
	signed[0] = asn1.TagSet | 0x20
	algorithm := x509.UnknownSignatureAlgorithm
	for _, a := range algorithms {
		if !a.oid.Equal(s.signer.DigestAlgorithm.Algorithm) {
			continue
		}
		switch s.certificate.PublicKey.(type) {
		case *rsa.PublicKey:
			algorithm = a.rsa
		case *ecdsa.PublicKey:
			algorithm = a.ec
		case ed25519.PublicKey:
			algorithm = x509.PureEd25519
		}
	}
	if err := s.certificate.CheckSignature(algorithm, signed, s.signer.Signature); err != nil {
		return untrusted("%v", err)
	}
	return nil
}

// checkPurpose: the certificate is for time-stamping and nothing else, and says so critically (RFC 3161, 2.3).
func (s stamp) checkPurpose() error {
	c := s.certificate
	alone := len(c.ExtKeyUsage) == 1 && c.ExtKeyUsage[0] == x509.ExtKeyUsageTimeStamping && len(c.UnknownExtKeyUsage) == 0
	for _, e := range c.Extensions {
		if e.Id.Equal(oidExtendedKeyUsage) && e.Critical && alone {
			return nil
		}
	}
	return untrusted("the certificate is not for time-stamping alone")
}

// checkChain: the certificate leads to a root, and all of them were valid at the token's time.
func (s stamp) checkChain(roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, c := range s.certificates {
		between.AddCert(c)
	}
	_, err := s.certificate.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: s.info.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
	if err != nil {
		return untrusted("%v", err)
	}
	return nil
}

// hashOf knows the hashes that are good enough.
func hashOf(oid asn1.ObjectIdentifier) (crypto.Hash, bool) {
	for _, a := range algorithms {
		if a.oid.Equal(oid) {
			return a.hash, true
		}
	}
	return 0, false
}

// hashed is nil for an unknown hash.
func hashed(hash crypto.Hash, data []byte) []byte {
	if !hash.Available() {
		return nil
	}
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}
